"""A claim that rests on code outside of the diff: what it names is fetched, and a model that calls tools
looks up the rest, within bounds."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.agents import review
from bot.agents.look_ups import CALLS_EACH, looks_up
from bot.agents.review import looking as rules
from bot.agents.review.looking import Looking, fetched
from bot.agents.tools import Lookups
from bot.core.code_search import Excerpt
from bot.core.errors import TemporaryError
from bot.core.findings import Finding
from bot.core.inference import AskedHost, Completion, Prompt, ToolCall, ToolUse
from bot.core.settings import RepoSettings, ReviewSettings
from tests.agents.facts import Model, pull_request, verdicts
from tests.tea import finding

LIB = "def pour(leaves):\n    return leaves or [0]\n"
CODE = "def brew(leaves):\n    return pour(leaves)[0]\n"


def claim(
    title: str = "`pour` may give None", body: str = "", quote: str = "    return pour(leaves)[0]"
) -> Finding:
    return Finding("tea.py", "major", "bug", title, body, quote, line=2)


def searching(*files: tuple[str, str], asked: list[str] | None = None) -> Any:
    async def search(query: str) -> Sequence[Excerpt]:
        if asked is not None:
            asked.append(query)
        return [Excerpt(path, 1, tuple(text.split("\n"))) for path, text in files if query in text]

    return search


async def names(
    one: Finding, *files: tuple[str, str], shown: str = "+    return pour(leaves)[0]"
) -> list[str]:
    facts = pull_request({"tea.py": CODE})
    found = await fetched([one], [shown], facts, Looking(searching(*files)))
    return [f"{passage.name}: {passage.text.split(chr(10))[0]}" for passage in found.passages]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("lib/pour.py", LIB, "def pour(leaves):"),
        ("lib/pour.py", f"import os\n\n\nclass Pot:\n    async {LIB}", "    async def pour(leaves):"),
        ("pour.go", "package tea\n\nfunc (p *P) pour(x int) {\n\treturn\n}", "func (p *P) pour(x int) {"),
        ("pour.ts", "export const pour = (x: number) => x\n", "export const pour = (x: number) => x"),
        ("Pour.java", "class P {\n  static int pour(int x) {\n  }\n}", "  static int pour(int x) {"),
        ("pour.rs", "pub fn pour(x: u8) -> u8 {\n    x\n}", "pub fn pour(x: u8) -> u8 {"),
        ("pour.c", "static int *pour(int x) {\n  return 0;\n}", "static int *pour(int x) {"),
    ],
)  # fmt: skip
async def test_the_definition_that_a_claim_names_is_shown_with_it(path: str, text: str, line: str) -> None:
    assert await names(claim(), (path, text)) == [f"around {path} for finding 0: {line}"]
    assert await names(claim("Gives None", ""), (path, text)) == [f"around {path} for finding 0: {line}"]


@pytest.mark.parametrize(
    "text",
    ["x = pour(1)\n", "if pour == 2:\n", "# pour it\n", "pourer = 1\n", "return pour(2)\n", "pour(x);\n"],
)
async def test_a_use_is_no_definition(text: str) -> None:
    assert await names(claim(), ("other.py", text)) == []


async def test_what_is_shown_anyway_is_not_fetched_and_callers_only_where_they_are_spoken_of() -> None:
    assert await names(claim(), ("lib/pour.py", LIB), shown=f"+{LIB}") == []
    caller = ("app.py", "from tea import brew\n\nprint(brew([1]))\n")
    assert await names(claim("`brew` fails", ""), caller, shown=f"+{CODE}+{LIB}") == []
    told = await names(claim("`brew` fails", "A caller passes nothing."), caller, shown=f"+{CODE}+{LIB}")
    assert told == ["around app.py for finding 0: from tea import brew"]


async def test_P6_no_archives_code_is_fetched_and_a_search_that_fails_costs_nothing_else() -> None:
    for path in ("@vault/pour.py", ".env", "deploy/.env.local", "keys/id_rsa"):
        assert await names(claim(), (path, LIB)) == []

    async def down(query: str) -> Sequence[Excerpt]:
        raise TemporaryError("no index now")

    facts = pull_request({"tea.py": CODE})
    found = await fetched([claim()], ["+x"], facts, Looking(down))
    assert (found.passages, found.wanting) == ((), True)


async def test_a_claim_that_names_everything_fetches_a_few_things() -> None:
    asked: list[str] = []
    every = " ".join(f"`name_{n}`" for n in range(3_000))
    files = [(f"lib/{n}.py", f"def name_{n}():\n" + "    x = 1\n" * 400) for n in range(3_000)]
    facts = pull_request({"tea.py": CODE})
    claims = [claim(body=every[60 * n :]) for n in range(24)]
    looking = Looking(searching(*files, asked=asked))
    found = await fetched(claims, ["+x"] * 24, facts, looking)
    assert len(asked) <= rules.MOST_LOOKED_FOR
    assert sum(len(one.text) for one in found.passages) <= rules.MOST_CHARS


class Looks(Model):
    """A model that calls tools in its second look, as often as it may, and then answers."""

    def __init__(self, *calls: ToolCall, rounds: int = 1, quote: str = "return pour(leaves)[0]") -> None:
        said = finding(quote=quote, title="`pour` may give None", body="It is subscripted.")
        super().__init__(lambda _: {"findings": [said], "summary": ""}, lambda prompt: verdicts(prompt, 0))
        self.calls, self.rounds = calls, rounds

    async def __call__(self, prompt: Prompt[Any], /, on_text: Any = None) -> Completion[Any]:
        if prompt.tools and self.rounds:
            self.rounds -= 1
            self.prompts.append(prompt)
            spent = {"host": "mini", "model": "m", "tokens_in": 10, "tokens_out": 5, "calls": 1}
            return Completion(tool_calls=self.calls, sent_to=(AskedHost("far", "m", True),), **spent)
        return await super().__call__(prompt)


READ = ToolCall("read_file", {"path": "lib/pour.py"})


async def judged(model: Looks, max_calls: int = 40, notes: list[ToolUse] | None = None, **more: Any) -> Any:
    async def read(paths: Sequence[str]) -> Any:
        files = {"lib/pour.py": LIB, ".env": "KEY=1"}
        return {path: files[path] for path in paths if path in files}, {}

    lookups = Lookups(
        search=searching(("lib/kettle.py", "x"), ("@vault/s.py", "secret = 1"), (".env", "secret = 1"))
    )
    lookups = replace(lookups, note=notes.append if notes is not None else lookups.note)
    settings = RepoSettings(review=ReviewSettings(max_calls=max_calls))
    facts = pull_request({"tea.py": CODE}, settings, **more)
    looking = Looking(lookups.search, look_ups=partial(looks_up, read, lookups))
    return await review.judge(facts, model, looking)


async def test_a_model_that_calls_tools_looks_a_claim_up_before_it_refutes_it() -> None:
    notes: list[ToolUse] = []
    model = Looks(READ)
    done = await judged(model, notes=notes)
    first, second = (one for one in model.prompts if one.name == "verify")
    assert {one.name for one in first.tools} == {"read_file", "search_code", "list_symbols"}
    assert any("return leaves or [0]" in one.text for one in second.passages)
    assert second.beginning is first.beginning is model.prompts[0].beginning
    assert [(one.name, one.failure) for one in notes] == [("read_file", "")]
    assert done.dropped[review.REFUTED] == 1
    (receipt,) = done.coverage.receipts
    assert receipt.asked.host == "far"
    assert any("lib/pour.py" in name for name in receipt.names)
    assert sum(used.tokens_in for used in done.usage) == 30


@pytest.mark.parametrize(
    "call",
    [
        ToolCall("read_file", {"path": ".env"}),
        ToolCall("read_file", {"path": "/etc/passwd"}),
        ToolCall("read_file", {"path": "../../secret"}),
        ToolCall("search_code", {"query": "secret"}),
        ToolCall("run_tests", {}),
        ToolCall("write_file", {"path": "tea.py", "text": "x"}),
        ToolCall("related_issues", {"query": "x"}),
        ToolCall("no_such", {}),
    ],
)
async def test_A7_a_hostile_model_looks_up_nothing_that_is_not_the_repositorys_code(call: ToolCall) -> None:
    model = Looks(call)
    await judged(model)
    told = str([one.passages for one in model.prompts])
    assert not any(secret in told for secret in ("KEY=1", "root:", "secret = 1"))


@pytest.mark.parametrize("max_calls", [0, 1, 2, 3, 4, 5, 40])
async def test_look_ups_count_as_the_reviews_questions(max_calls: int) -> None:
    calls = [ToolCall("read_file", {"path": "lib/pour.py", "start": n}) for n in range(1, 99)]
    model = Looks(*calls, rounds=99)
    await judged(model, max_calls=max_calls)
    assert len(model.prompts) <= max_calls
    made = [one for prompt in model.prompts[-1:] for one in prompt.passages if one.name.startswith("call ")]
    assert len([one for one in made if "read_file" in one.name]) <= CALLS_EACH


async def test_a_quick_review_and_a_claim_that_its_own_lines_decide_look_nothing_up() -> None:
    for model, more in ((Looks(READ), {"effort": "quick"}), (Looks(READ, quote="def brew(leaves):"), {})):
        if not more:
            model.answer = lambda _: {
                "findings": [finding(quote="def brew(leaves):", title="Wrong", body="Always.")],
                "summary": "",
            }
        await judged(model, **more)
        assert [bool(one.tools) for one in model.prompts] == [False, False]
