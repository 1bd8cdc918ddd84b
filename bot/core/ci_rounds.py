"""Which `fix ci` a commit belongs to, told by the outbox: nothing that GitHub or a name says counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.ci_log import digest
from bot.core.ci_session import SUBJECT, CiSession
from bot.core.effect_history import PastRun, undone
from bot.core.effects import Comment, EditComment, OpenPullRequest, PushCommit
from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class Standing:
    """A session as it was told last. `tip`: the newest commit of Hob's on its branch; `draft`: the pull
    request of that branch, 0 where Hob opened none; `taken_back`: somebody undid a round; `behind`: a round
    was pushed that is not told yet."""

    comment: int
    session: CiSession
    tip: Sha
    draft: int = 0
    taken_back: bool = False
    behind: bool = False


def standing(past_runs: Sequence[PastRun]) -> tuple[Standing, ...]:
    """All of an issue or pull request, the newest first."""
    gone = undone(past_runs)
    sessions: dict[int, CiSession] = {}
    commits: dict[str, tuple[Sha, Sha]] = {}
    drafts: dict[str, int] = {}
    lost: set[str] = set()
    for past_run in past_runs:
        for one in past_run.did:
            match one.effect:
                case PushCommit(branch=branch) if past_run.run in gone:
                    lost.add(branch)
                case _ if past_run.run in gone:
                    continue
                case PushCommit(branch=branch, parent=parent):
                    commits[branch] = commit_of(one.url), parent
                case OpenPullRequest(branch=branch):
                    drafts[branch] = one.github_id
                case Comment(ci=CiSession() as session):
                    sessions[one.github_id] = session
                case EditComment(comment_id=comment, ci=CiSession() as session):
                    sessions.pop(comment, None)
                    sessions[comment] = session
    return tuple(
        Standing(
            comment,
            one,
            tip,
            drafts.get(one.branch, 0),
            one.branch in lost,
            behind=bool(one.rounds) and one.rounds[-1].head != parent and not one.end,
        )
        for comment, one in reversed(sessions.items())
        if one.branch
        for tip, parent in (commits.get(one.branch, (Sha(""), Sha(""))),)
    )


def is_untold(past_runs: Sequence[PastRun], tip: Sha) -> bool:
    """Whether a commit was pushed for `fix ci` whose comment is still to come."""
    gone = undone(past_runs)
    branches = {one.session.branch for one in standing(past_runs)}
    kept = (one for past_run in past_runs if past_run.run not in gone for one in past_run.did)
    return any(
        isinstance(one.effect, PushCommit)
        and one.effect.message.startswith(SUBJECT)
        and one.effect.branch not in branches
        and commit_of(one.url) == tip
        for one in kept
    )


def commit_of(url: str) -> Sha:
    """The commit whose page that is."""
    return Sha(url.rpartition("/commit/")[2])


def state_of(texts: Mapping[str, str | None]) -> str:
    """Names what stands in some files."""
    return digest(
        part for path, text in sorted(texts.items()) for part in (path, str(text is None), text or "")
    )
