"""`fix ci`: CI fails, somebody asks, Hob names the cause and pushes a fix, round after round until it passes."""

from typing import Any

from bot.testing.github import ci
from bot.testing.github.ci import CheckSuite
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob
from tests.runs.test_comments import ours
from tests.runs.test_patches import branches, drafts

ON = "code: {enabled: true}\n"
WORKFLOW = "name: CI\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: make test}]\n"
TEA = "def brew(water):\n    return watr\n"
TIME = "2026-11-30T02:00:00.1234567Z "
LINES = [
    "##[group]Run make test",
    "\x1b[36;1mmake test\x1b[0m",
    "##[endgroup]",
    "tests/test_tea.py F",
    "Traceback (most recent call last):",
    '  File "/home/runner/work/tea/tea/tea.py", line 2, in brew',
    "\x1b[31mNameError: name 'watr' is not defined\x1b[0m",
    "1 failed in 0.01s",
    "##[error]Process completed with exit code 1.",
    "Post job cleanup.",
]
LOG = "".join(f"{TIME}{line}\n" for line in LINES)
QUOTE = "NameError: name 'watr' is not defined"


def patch_of(search: str, replace: str, path: str = "tea.py") -> dict[str, Any]:
    return {"path": path, "search": search, "replace": replace}


def says(
    *patches: Any,
    kind: str = "code",
    cause: str = "A name is misspelt.",
    quotes: Any = (QUOTE,),
    files: Any = (),
) -> Any:
    """A model that names a cause, and gives one patch after the other."""
    left = list(patches)

    def answer(request: dict[str, Any]) -> Any:
        fields = request["format"]["properties"]
        if "quotes" in fields:
            return {"kind": kind, "cause": cause, "quotes": list(quotes), "files": list(files)}
        if "edits" in fields:
            some = left.pop(0) if len(left) > 1 else (left or [[]])[0]
            return {"summary": "Spells it right.", "edits": some if isinstance(some, list) else [some]}
        if "findings" in fields:
            return {"findings": [], "summary": "fine"}
        return {"verdicts": []}

    return answer


MENDED = patch_of("return watr", "return water")
WRONG, RIGHT = patch_of("return watr", "return water + 1"), patch_of("water + 1", "water")


def opened(hob: LivingHob, config: str = ON, *, actions: bool = True, **more: Any) -> PullRequest:
    files = {".github/hob.yml": config, ".github/workflows/ci.yml": WORKFLOW, "tea.py": "x = 1\n"}
    repo = hob.github.repository("octo/tea", files=files)
    repo.grant("ann", "write")
    repo.grant("eve", "read")
    for one in hob.github.installations.values():
        given = {"contents": "write", **({"actions": "read", "statuses": "read"} if actions else {})}
        one.permissions = {**one.permissions, **given}
    return repo.open_pull_request("Brew", {"tea.py": TEA}, **{"author": "ann", **more})


def fails(pull: PullRequest, log: Any = LOG, *, name: str = "test", sha: str = "") -> CheckSuite:
    """CI runs on the head, and one job fails."""
    suite = ci.begin(pull.code, sha or pull.head_sha, name)  # type: ignore[arg-type]
    suite.finish({name: log})
    return suite


async def asked(hob: LivingHob, pull: PullRequest, words: str = "fix ci", who: str = "ann") -> list[str]:
    before = len(ours(pull))
    pull.comment(who, f"@my-hob {words}")
    await hob.works()
    return ours(pull)[before:]


def shown_to(hob: LivingHob) -> str:
    """All that models were told."""
    return "\n".join(said["content"] for chat in hob.ollama.chats for said in chat["messages"])


def pushed(hob: LivingHob) -> list[str]:
    return [one.path for one in hob.github.writes() if "/git/commits" in one.path]


async def test_ci_fails_somebody_asks_and_two_rounds_later_it_is_green(hob: LivingHob) -> None:
    pull = opened(hob)
    fails(pull)
    await hob.works()
    hob.ollama.answer = says(WRONG, RIGHT)
    (said,) = await asked(hob, pull)
    assert "Round 1 of 3" in said
    assert "A name is misspelt." in said
    assert QUOTE in said
    (draft,) = drafts(hob)
    assert (draft.draft, draft.base_ref, branches(pull.code)) == (True, pull.head_ref, [draft.head_ref])
    assert draft.text("tea.py") == TEA.replace("watr", "water + 1")
    first = draft.head_sha
    fails(draft, LOG.replace(QUOTE, "AssertionError: 3 is not 2"))
    await hob.works()
    assert draft.text("tea.py") == TEA.replace("watr", "water")
    assert [one.parents for one in draft.commits[-1:]] == [(first,)]
    (now,) = [one for one in ours(pull) if "Round" in one]
    assert "Round 2 of 3" in now
    ci.begin(pull.code, draft.head_sha, "test").finish()
    await hob.works()
    (now,) = [one for one in ours(pull) if "Round" in one]
    assert "Green after 2 rounds." in now
    assert len(drafts(hob)) == 1


async def test_S_log_is_shown_without_colours_times_and_secrets(hob: LivingHob) -> None:
    pull = opened(hob)
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    fails(pull, LOG.replace("tests/test_tea.py F", f"export TOKEN={token}"))
    await hob.works()
    hob.ollama.answer = says(MENDED)
    await asked(hob, pull)
    shown = shown_to(hob)
    assert "NameError: name 'watr' is not defined" in shown
    assert "Process completed with exit code 1" in shown
    assert "Post job cleanup" not in shown
    assert token not in shown
    assert "\x1b" not in shown
    assert "02:00:00.123" not in shown
    assert "steps: [{run: make test}]" in shown
