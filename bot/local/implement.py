"""Carries out on this machine what somebody describes: the App's own way, with git in the place of GitHub."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.agents.chain import ChainProgress
from bot.agents.implement import Implemented, implement
from bot.context import Context
from bot.core.code_search import Library
from bot.core.errors import UserError
from bot.core.inference import Infer
from bot.core.merging import CommittedFile
from bot.core.refs import RepoRef, Sha
from bot.core.work_budget import WorkBudget
from bot.implement_facts import WantedChange, implement_facts, lookups, reading
from bot.local.change import LocalRange, resolved
from bot.local.reader import LocalReader
from bot.proposals import whole_diff


@dataclass(frozen=True, slots=True)
class LocalWork:
    """What came of it, on top of `base`; `files` and `diff` are empty where there is no patch."""

    done: Implemented
    base: Sha
    files: tuple[CommittedFile, ...] = ()
    diff: str = ""


async def starting_point(root: Path, name: str) -> Sha:
    """The commit that the work begins at; UserError."""
    if found := await resolved(root, name or "HEAD"):
        return found
    if name:
        raise UserError(f"{name[:80]!r} names no commit here", "name a branch or a commit with --base")
    raise UserError("HEAD is no commit yet", "commit something first, or name a commit with --base")


async def implement_here(
    root: Path,
    base: Sha,
    objective: str,
    infer: Infer,
    library: Library | None,
    budget: WorkBudget,
    told: ChainProgress,
) -> LocalWork:
    """Nothing is written. The settings are those of `.github/hob.yml` at `base`: `code.paths` narrows,
    `code.enabled` is about GitHub."""
    repo = RepoRef("local", root.name or "repository", 0, 0, private=True)
    ctx = Context(
        repo=repo, slug="hob", github=LocalReader(root, LocalRange(base, base, "", "", "")), infer=infer
    )
    title, _, _ = objective.strip().partition("\n")
    wanted = WantedChange(title[:200], objective.strip() if objective.strip() != title[:200] else "")
    facts, _ = await implement_facts(ctx, await ctx.repository(base), base, wanted, library, budget)
    done = await implement(
        facts,
        ctx.chain("implement"),
        ctx.persona,
        infer,
        reading(ctx, base, facts.modes),
        budget,
        told,
        lookups=lookups(ctx, base, library),
    )
    if done.patched.why:
        return LocalWork(done, base)
    files = _files(done)
    modes = {one.path: int(one.mode, 8) for one in files if one.text is not None}
    diff = whole_diff(done.facts.texts, done.patched.texts, {**done.facts.modes, **modes})
    return LocalWork(done, base, tuple(files), diff)


def _files(done: Implemented) -> Sequence[CommittedFile]:
    """With the modes that they have."""
    made, modes = done.patched, done.facts.modes
    executable = {path for path in made.texts if modes.get(made.renamed.get(path, path)) == 0o100755}
    return [
        CommittedFile(path, text, "100755" if path in executable else "100644")
        for path, text in sorted(made.texts.items())
    ]
