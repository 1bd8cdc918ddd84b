"""Reads the offline code review benchmark of Martian as it is published: pull requests with golden comments,
what other tools said about each, and how stored judges decided.

offline/golden_comments/*.json           golden comments of each pull request
offline/results/JUDGE/candidates.json    what each tool said, remark by remark
offline/results/JUDGE/evaluations.json   that judge's decisions
offline/results/benchmark_data.json      comments as they were posted, where there are no candidates
offline/code_review_benchmark/step3_judge_comments.py   has the judge's prompt; it is read, never run

https://github.com/withmartian/code-review-benchmark
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

from bot.core import json_text
from bot.core.errors import UserError
from bot.core.scoring import Score
from bot.evals.files import json_files, read_bytes

MOST_PULLS = 5_000
MOST_REMARKS = 200
"""Of one tool about one pull request, and golden ones of it."""
MOST_CHARS = 8_000
"""Of one remark."""
PROMPT_FILE = "code_review_benchmark/step3_judge_comments.py"
_PULL = re.compile(r"https://github\.com/([\w.-]{1,100})/([\w.-]{1,100})/pull/([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MartianPull:
    """`addresses`: where the pull request stands, and the fork that the golden comments were written on;
    `said`: tool -> its remarks."""

    addresses: tuple[str, ...]
    title: str
    golden: tuple[str, ...]
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """`question` has the places `{golden_comment}` and `{candidate}`, and `{{` for a brace."""

    system: str
    question: str

    def about(self, golden: str, candidate: str) -> str:
        return self.question.format(golden_comment=golden, candidate=candidate)


@dataclass(frozen=True, slots=True)
class MartianBenchmark:
    """`published`: judge -> tool -> a score of each pull request."""

    pulls: tuple[MartianPull, ...]
    prompt: JudgePrompt
    published: Mapping[str, Mapping[str, tuple[Score, ...]]]


def load_benchmark(folder: Path) -> MartianBenchmark:
    """Of its folder `offline` (or the clone around it); UserError for what is none."""
    top = folder / "offline" if (folder / "offline").is_dir() else folder
    files = json_files(top / "golden_comments")
    if not files:
        raise UserError(
            f"{folder} is not the folder `offline` of the benchmark: it has no golden_comments/*.json",
            "clone withmartian/code-review-benchmark and name its folder",
        )
    said = _said(top / "results")
    pulls: dict[str, MartianPull] = {}
    for file in files:
        for told in _objects(_read(file), file):
            addresses, golden = _addresses(told), _texts(told.get("comments"), "comment")
            if addresses and golden:
                remarks = {tool: some for url in addresses for tool, some in said.get(url, {}).items()}
                pull = MartianPull(addresses, _line(told.get("pr_title")), golden, remarks)
                pulls.setdefault(pull.url, pull)
    if not 0 < len(pulls) <= MOST_PULLS:
        raise UserError(f"{top / 'golden_comments'} has {len(pulls)} pull requests with golden comments")
    return MartianBenchmark(tuple(pulls.values()), _prompt(top / PROMPT_FILE), _published(top / "results"))


def pull_names(url: str) -> tuple[str, str, int] | None:
    """(owner, repository, number) of a pull request's address."""
    found = _PULL.fullmatch(url)
    return (found[1], found[2], int(found[3])) if found else None


def _addresses(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The upstream pull request's first."""
    urls = (told.get(key) for key in ("original_url", "url"))
    return tuple(dict.fromkeys(url for url in urls if isinstance(url, str) and pull_names(url)))


def _said(results: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Address -> tool -> remarks: as the first of the judges by name cut them, else as they were posted."""
    for file in sorted(results.glob("*/candidates.json")):
        return {
            url: {tool: _texts(remarks, "text") for tool, remarks in _items(tools)}
            for url, tools in _items(_read(file))
        }
    posted = results / "benchmark_data.json"
    if not posted.is_file():
        return {}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for url, pull in _items(_read(posted)):
        reviews = pull.get("reviews", []) if isinstance(pull, dict) else []
        for review in _objects(reviews, posted):
            if isinstance(tool := review.get("tool"), str):
                remarks = _texts(review.get("review_comments"), "body")
                found.setdefault(url, {})[tool] = remarks
    return found


def _published(results: Path) -> dict[str, dict[str, tuple[Score, ...]]]:
    found: dict[str, dict[str, tuple[Score, ...]]] = {}
    for file in sorted(results.glob("*/evaluations.json")):
        by_tool: dict[str, list[Score]] = {}
        for _, tools in _items(_read(file)):
            for tool, told in _items(tools):
                if (score := _score(told)) is not None:
                    by_tool.setdefault(tool, []).append(score)
        found[file.parent.name] = {tool: tuple(scores) for tool, scores in sorted(by_tool.items())}
    return found


def _score(told: Any) -> Score | None:
    if not isinstance(told, dict) or told.get("skipped"):
        return None
    counts = [told.get(name) for name in ("tp", "total_candidates", "total_golden")]
    if not all(type(count) is int and 0 <= count <= 10_000 for count in counts):
        return None
    right, said, golden = (int(count or 0) for count in counts)
    # one remark may name several golden comments, but no more are found than there are, and none by nothing
    return Score(1, right, said, golden) if right <= golden and (said or not right) else None


def _prompt(file: Path) -> JudgePrompt:
    """The two texts of the script, which is parsed and not run. UserError where they are not there."""
    try:
        tree = ast.parse(read_bytes(file))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserError(f"{file} is no Python that can be read") from None
    question = system = ""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="JUDGE_PROMPT")], value=ast.Constant(value=str(text))):
                question = text
            case ast.Dict(keys=[ast.Constant(value="role"), ast.Constant(value="content")],
                          values=[ast.Constant(value="system"), ast.Constant(value=str(text))]):  # fmt: skip
                system = text
    try:  # a name with how it is shown or converted is no plain name
        places = sorted(
            name for _, *place in Formatter().parse(question) if (name := "".join(filter(None, place)))
        )
    except ValueError:
        places = []
    if places != ["candidate", "golden_comment"] or len(question) > MOST_CHARS:
        raise UserError(f"{file} has no JUDGE_PROMPT with one {{golden_comment}} and one {{candidate}}")
    return JudgePrompt(system[:MOST_CHARS], question)


def _read(file: Path) -> Any:
    try:
        return json_text.read(read_bytes(file))
    except (ValueError, RecursionError):
        raise UserError(f"{file} is no JSON") from None


def _items(told: Any) -> Iterator[tuple[str, Any]]:
    yield from told.items() if isinstance(told, dict) else ()


def _objects(told: Any, file: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(told, list):
        raise UserError(f"{file} is not as the benchmark has it: a list is expected")
    yield from (one for one in told if isinstance(one, dict))


def _texts(told: Any, key: str) -> tuple[str, ...]:
    said = (one.get(key) for one in told if isinstance(one, dict)) if isinstance(told, list) else ()
    texts = (one.strip()[:MOST_CHARS] for one in said if isinstance(one, str))
    return tuple(filter(None, texts))[:MOST_REMARKS]


def _line(told: Any) -> str:
    return " ".join(told.split())[:200] if isinstance(told, str) else ""
