"""What the questions of a review have in common comes first and is the same to the byte, so that a host reads
it once."""

from dataclasses import replace
from typing import Any

import pytest

from bot.agents import review
from bot.core.code_search import Excerpt
from bot.core.context_packing import ContextCandidate
from bot.core.facts import LinkedIssue, PullRequestFacts
from bot.core.hosts import Host, HostModel
from bot.core.inference import Beginning, Passage, Prompt, PromptTexts, Spoken
from bot.core.settings import RepoSettings, ReviewSettings
from bot.inference.hosts.known_host import Candidate
from bot.inference.structured_output import schema_of
from bot.inference.token_budget import Fitted, fitted
from bot.prompting import load_persona, rendered
from tests.agents.facts import Model, finding, pull_request

SETTINGS = RepoSettings(review=ReviewSettings(max_calls=40, max_comments=40, min_severity="nit"))


def large(passes: int = 1) -> PullRequestFacts:
    """Several parts, with all that a repository can say of them: for all files, and for some."""
    code = "".join(f"    water_{n} = leaves + {n}\n" for n in range(60))
    files = {f"src/m{n:02}.py": f"def brew_{n}(leaves):\n{code}    return leaves\n" for n in range(30)}
    facts = pull_request(files, SETTINGS, passes=passes)
    rules = (("AGENTS.md", "Water is hot.\n" * 60), ("odd/AGENTS.md", "Odd leaves only.\n" * 30))
    shared = ContextCandidate(Excerpt("lib/tea.py", 1, ("def leaf():", "    return 1", "")), 0.9)
    return replace(
        facts,
        body="Brews tea anew.\n" * 40,
        context=replace(facts.context, guidelines=rules),
        guides={
            path: ("AGENTS.md", "odd/AGENTS.md") if path[5:7] == "03" else ("AGENTS.md",) for path in files
        },
        instructions={path: ("Use structlog.", *(["Only m07."] if "07" in path else [])) for path in files},
        linked_issues=(LinkedIssue(3, "Tea is cold", "It should be hot."),),
        around=dict.fromkeys(files, (shared,)),
    )


async def asked(facts: PullRequestFacts) -> list[Prompt[Any]]:
    """The questions of a review that finds something in each part, in their order."""

    def finds(prompt: Prompt[Any]) -> dict[str, Any]:
        path = next(one.name for one in prompt.passages if one.name.startswith("src/"))
        said = finding(path=path, quote="    return leaves", title=f"Wrong in {path}", body="Always. " * 40)
        return {"findings": [said], "summary": ""}

    model = Model(finds)
    await review.plan(facts, model)
    return model.prompts


def put(prompt: Prompt[Any], window: int) -> Fitted:
    model = HostModel("qwen2.5-coder:14b", window)
    request = fitted(
        prompt,
        rendered,
        schema_of(prompt.answer),
        Candidate(Host("mini", "ollama", ""), model, window),
        window,
        3.0,
    )
    assert request is not None
    return request


def text(told: PromptTexts | Any) -> str:
    return f"{told.system}\n{told.user}"


def same(one: str, other: str) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def head(told: str) -> str:
    """What comes before a part's own."""
    own = ("guideline for these files", "guideline odd/AGENTS.md", "around src/", "src/")
    return told[: min(at for name in own if (at := told.find(f'name="{name}')) > 0)]


@pytest.mark.parametrize("passes", [1, 3])
async def test_parts_passes_and_the_second_look_begin_with_all_that_they_share(passes: int) -> None:
    prompts = await asked(large(passes))
    assert [one.name for one in prompts].count("verify") == 1
    assert len(prompts) > 5 * passes
    texts = [text(rendered(one, one.optional)) for one in prompts]
    common = texts[0][: min(same(texts[0], other) for other in texts[1:])]
    for shared in (
        "Water is hot.",
        "Brews tea anew.",
        "Use structlog.",
        "Tea is cold",
        "def leaf()",
        "Brew tea",
    ):
        assert shared in common
        assert all(one.count(shared) == common.count(shared) for one in texts)
    for own in ("Odd leaves only.", "Only m07.", 'name="src/', 'name="finding 0"'):
        assert own not in common
    assert sum("Odd leaves only." in one for one in texts) == passes
    assert sum("Only m07." in one for one in texts) == passes
    for one, prompt in zip(texts, prompts, strict=True):
        last = one.rpartition("</data-")[2]
        assert ("judge the claims" if prompt.name == "verify" else "List the defects") in last


@pytest.mark.parametrize("window", [5_000, 6_500, 8_192, 9_000, 10_000, 12_000, 16_384])
async def test_a_small_window_lacks_the_same_in_all_parts(window: int) -> None:
    prompts = [one for one in await asked(large()) if one.name == "review"]
    made = [put(one, window) for one in prompts]
    texts = [text(one.request) for one in made]
    for name in ("guideline AGENTS.md", "issue 3", "around lib/tea.py"):
        there = {f'name="{name}"' in one for one in texts}
        assert len(there) == 1
        assert {name in one.packed.left_out for one in made} == {not there.pop()}
    assert min(same(texts[0], other) for other in texts[1:]) >= len(head(texts[0])) > 3_000


async def test_what_was_decided_for_a_beginning_holds_when_tokens_turn_out_to_be_smaller() -> None:
    prompts = [one for one in await asked(large()) if one.name == "review"]
    candidate = Candidate(Host("mini", "ollama", ""), HostModel("m", 9_000), 9_000)
    made = [
        fitted(one, rendered, schema_of(one.answer), candidate, 9_000, ratio)
        for one, ratio in zip(prompts, (3.0, 2.9, 3.4, 4.0, 5.0, 6.0, 6.0), strict=False)
    ]
    heads = {head(text(one.request)) for one in made if one}
    assert len(heads) == 1
    less = fitted(prompts[0], rendered, schema_of(prompts[0].answer), candidate, 9_000, 1.6)
    assert less is None or less.size < (made[0].size if made[0] else 0)


async def test_the_second_look_in_a_small_window_reads_the_claims_rather_than_what_it_can_spare() -> None:
    facts = large()
    verify = next(one for one in await asked(facts) if one.name == "verify")
    claims = [one.name for one in verify.passages if one.name.startswith("finding")]
    wide, small = put(verify, 16_384), put(verify, 4_096)
    assert all(f'name="{name}"' in wide.request.user for name in claims)
    assert "Brews tea anew." in wide.request.user
    assert all(f'name="{name}"' in small.request.user for name in claims)
    assert "Brews tea anew." not in small.request.user
    assert 'name="title"' in small.request.user


def test_P7_a_beginnings_fence_is_kept_by_all_but_those_whose_data_hold_it() -> None:
    begun = Beginning()

    def told(words: str) -> str:
        inputs = {"question": words}
        prompt = Prompt("research", "chat", Spoken, inputs, (Passage("a", words),), beginning=begun)
        file = load_persona("research")
        return rendered(replace(prompt, file=file), prompt.passages).system.partition("<data-")[2][:12]

    first = told("one")
    assert told("two") == first == begun.fence
    for echoed in (first, f"a{first}b", f"{first[:3]}\u200b{first[3:]}", f"{first[:11]}\u2060{first[11:]}"):
        assert told(echoed) not in (first, "")
    assert told("three") == first
