"""Facts and scripted answers for tests of agents."""

from collections.abc import Callable
from typing import Any

from bot.core.diff import FileDiff, parse_patch
from bot.core.facts import PullRequestFacts, RepoContext
from bot.core.inference import Completion, Infer, Prompt
from bot.core.refs import Login, RepoRef, Sha
from bot.core.settings import RepoSettings
from tests.tea import finding

REPO = RepoRef("octo", "tea", id=1, installation=7)
HEAD, BASE = Sha("b" * 40), Sha("a" * 40)


def new_file(path: str, text: str) -> FileDiff:
    """A file that the change adds."""
    lines = text.splitlines()
    patch = f"@@ -0,0 +1,{len(lines)} @@\n" + "\n".join(f"+{line}" for line in lines)
    return FileDiff(path=path, status="added", hunks=parse_patch(patch), additions=len(lines))


def pull_request(
    files: dict[str, str], settings: RepoSettings | None = None, **more: Any
) -> PullRequestFacts:
    """A pull request that adds these files."""
    return PullRequestFacts(
        context=RepoContext(REPO, settings or RepoSettings()),
        number=5,
        title="Brew tea",
        body="",
        author=Login("ann"),
        base_sha=BASE,
        head_sha=HEAD,
        files=tuple(new_file(path, text) for path, text in files.items()),
        total_files=more.pop("total_files", len(files)),
        texts=dict(files),
        checks_run=("secrets",),
        **more,
    )


def verdicts(prompt: Prompt[Any], *refuted: int) -> dict[str, Any]:
    """A verifier that refutes these and keeps all others."""
    numbers = range(len(prompt.passages))
    return {"verdicts": [{"index": n, "keep": n not in refuted, "reason": "because"} for n in numbers]}


class Model:
    """Answers each prompt by a function of it; a string is a failure's reason. `verify` answers the second
    look, by default with yes to everything."""

    def __init__(
        self,
        answer: Callable[[Prompt[Any]], dict[str, Any] | str],
        verify: Callable[[Prompt[Any]], dict[str, Any] | str] | None = None,
    ) -> None:
        self.answer = answer
        self.verify = verify or verdicts
        self.prompts: list[Prompt[Any]] = []

    async def __call__(self, prompt: Prompt[Any], /) -> Completion[Any]:
        self.prompts.append(prompt)
        said = self.verify(prompt) if prompt.name == "verify" else self.answer(prompt)
        if isinstance(said, str):
            return Completion(failure="no_host", reason=said)
        value = prompt.answer.model_validate(said)  # type: ignore[attr-defined]
        return Completion(value=value, host="mini", model="m", tokens_in=10, tokens_out=5, seconds=0.1)


def says(*findings: dict[str, Any]) -> Infer:
    """A model that finds these in whatever it is shown."""
    return Model(lambda prompt: {"findings": [finding(**one) for one in findings], "summary": ""})
