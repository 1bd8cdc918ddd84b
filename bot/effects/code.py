"""Commits, branches and pull requests of Hob's own. https://docs.github.com/en/rest/git

Trees and commits that no branch leads to are nothing that anybody sees, and GitHub deletes them; so the one
step that counts is the branch, and that it is there is what a crash leaves to be found.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bot.core.effects import DeleteBranch, OpenPullRequest, PushCommit, RevertCommit, WithdrawPullRequest
from bot.core.errors import Ambiguous, GitHubError, Gone, RateLimited, UserError
from bot.core.facts import UndoFacts
from bot.core.merging import CommittedFile
from bot.core.refs import Sha
from bot.core.text import code_block, in_code
from bot.effects.base import Applied, Changing, Destination, Judged, OnGitHub, Undone
from bot.effects.push_refusals import APPLY, of_opening, of_push
from bot.effects.texts import Texts
from bot.github.idempotency_marker import page
from bot.sanitise.words import with_checks

FILES_A_CALL = 50
NAMES_A_CALL = 1_000
"""Of files that are known by name already, or go."""
_WORKFLOWS = (
    "The merge brings workflows along as they stand on the base branch; where GitHub wants the permission "
    "*Workflows* for that, which I don't ask for, you have to merge it"
)
_TRAILER = re.compile(
    r"(?:Co-authored-by|Signed-off-by): [\w\[\]-]{1,110} <[\w+\[\]-]{1,140}@users\.noreply\.github\.com>",
    re.ASCII,
)
_TAKEN = ("already exists", "fast forward", "fast-forward")
_NEWEST = 100
"""Commits of a branch among which Hob's own is looked for: people may have gone on from it."""


class OfPushCommit(OnGitHub[PushCommit]):
    kind = PushCommit
    permissions = ("contents",)
    carries = True
    undone_by = frozenset({DeleteBranch, RevertCommit})

    def harmless(self, effect: PushCommit, texts: Texts) -> PushCommit:
        """Files are what they are; with a secret of Hob's own in one there is no commit."""
        subject, _, body = effect.message.partition("\n")
        message = f"{texts.line(subject, 100)}\n\n{with_checks(texts.prose(body.strip(), 4_000))}".strip()
        trailers = tuple(one for one in effect.trailers if _TRAILER.fullmatch(one))
        # each as one text, so that what is spread over several files is seen too
        whole = (
            "\n".join(one.text or "" for one in effect.files),
            "\n".join(one.path for one in effect.files),
        )
        leaking = any(map(texts.leaks, (*whole, effect.patch)))
        kept = () if leaking else effect.files
        return replace(
            effect, message=message, trailers=trailers, files=kept, patch="" if leaking else effect.patch
        )

    def judged(self, effect: PushCommit) -> Judged | None:
        return Judged(effect.parent) if effect.bound else None

    def said(self, effect: PushCommit) -> Sequence[str]:
        """The patch, for whoever may push it."""
        if not effect.patch:
            return ()
        if effect.merges:
            how = "For each file in conflict `git checkout --ours -- FILE`, then `git apply` this"
            start = f"To do it yourself: `git merge {effect.merges}`. {how}:"
            return (f"{start}\n\n{code_block(effect.patch, 'diff')}",)
        name = in_code(effect.branch.rpartition("/")[2] + ".patch")
        return (f"{name}, for `git apply`:\n\n{code_block(effect.patch, 'diff')}",)

    def remedy(self, effect: PushCommit, error: Exception) -> str:
        if not isinstance(error, GitHubError):
            return ""
        if effect.workflows and error.kind == "permission":
            return f"{_WORKFLOWS}. {APPLY}."
        return of_push(str(error), effect.branch)

    async def send(self, effect: PushCommit, to: Destination) -> Applied:
        if not effect.files:
            raise UserError("the patch held what looks like a credential of mine", "it was not written")
        tree = effect.tree
        if not tree:
            tree = str((await to.get("/git/commits/{sha}", sha=effect.parent))["tree"]["sha"])
        for entries in _entries(effect):
            tree = str((await to.post("/git/trees", {"base_tree": tree, "tree": entries}))["sha"])
        ends = [*effect.trailers, to.marker.trailer(to.key)]
        message = "\n\n".join([effect.message, "\n".join(ends)])
        if effect.whole and tree != effect.whole:
            raise UserError("GitHub made another tree of this merge than git does", "merge it yourself")
        parents = [effect.parent, *filter(None, [effect.merges])]
        asked = {"message": message, "tree": tree, "parents": parents}
        made = str((await to.post("/git/commits", asked))["sha"])
        try:
            if effect.own:
                await to.post("/git/refs", {"ref": f"refs/heads/{effect.branch}", "sha": made})
            else:
                moved = {"sha": made, "force": False}
                await to.patch("/git/refs/heads/{+branch}", moved, branch=effect.branch)
        except GitHubError as refusal:
            return await _stands_already(effect.branch, to, refusal)
        return Applied(_commit_page(to, made))

    async def find(self, effect: PushCommit, to: Destination) -> Applied | None:
        return await _pushed(effect.branch, to)

    def undone(self, effect: PushCommit, github_id: int, facts: UndoFacts) -> Undone:
        if not effect.own and effect.branch.startswith("hob/"):
            pages = (one.url for one in facts.past_run.did if one.effect == effect and one.url)
            made = Sha(next(pages, "").rpartition("/commit/")[2])
            return Undone([RevertCommit(effect.branch, made)], f"a commit on `{effect.branch}`")
        if not effect.own:
            return Undone(stays="a commit on your branch: `git revert` takes it back")
        return Undone([DeleteBranch(effect.branch)], f"the branch `{effect.branch}`")


def _entries(effect: PushCommit) -> Iterator[list[dict[str, Any]]]:
    """As the trees API takes them, so many a call. What goes comes first: a folder may take its name."""
    gone = [one for one in effect.files if one.text is None and not one.sha]
    known = [one for one in effect.files if one.sha]
    new = [one for one in effect.files if one.text is not None and not one.sha]
    for some, most in ((gone, NAMES_A_CALL), (known, NAMES_A_CALL), (new, FILES_A_CALL)):
        for at in range(0, len(some), most):
            yield [_entry(one) for one in some[at : at + most]]


def _entry(one: CommittedFile) -> dict[str, Any]:
    kind = "commit" if one.mode == "160000" else "blob"
    about = {"path": one.path, "mode": one.mode, "type": kind}
    return about | ({"sha": one.sha or None} if one.text is None else {"content": one.text})


async def _pushed(branch: str, to: Destination) -> Applied | None:
    """The commit that bears the mark, where it is on the branch."""
    try:
        newest = await to.get("/commits{?sha,per_page}", sha=branch, per_page=_NEWEST)
    except Gone:
        return None
    for one in newest if isinstance(newest, list) else ():
        if to.marker.trailed(one.get("commit", {}).get("message"), to.key):
            return Applied(_commit_page(to, str(one["sha"])))
    return None


async def _stands_already(branch: str, to: Destination, refusal: GitHubError) -> Applied:
    """What an earlier try made, though GitHub's lists did not show it when it was looked for; else raises the
    refusal."""
    if refusal.status != 422 or not any(one in refusal.message.casefold() for one in _TAKEN):
        raise refusal
    try:
        ref = await to.get("/git/ref/heads/{+branch}", branch=branch)
    except Gone:
        raise Ambiguous(422, "a branch stands there that is not shown yet") from refusal
    sha = str(ref["object"]["sha"])
    tip = await to.get("/git/commits/{sha}", sha=sha)
    if to.marker.trailed(tip.get("message"), to.key):
        return Applied(_commit_page(to, sha))
    if found := await _pushed(branch, to):
        return found
    raise refusal


def _commit_page(to: Destination, sha: str) -> str:
    return f"{to.api.site}/{to.repo.full_name}/commit/{sha}"


class OfOpenPullRequest(OnGitHub[OpenPullRequest]):
    """Its id is the pull request's number."""

    kind = OpenPullRequest
    permissions = ("pull_requests",)
    carries = True

    def needs(self, effect: OpenPullRequest) -> dict[str, str]:
        """Of contents, whether its branch is there."""
        return {"pull_requests": "write", "contents": "read"}

    undone_by = frozenset({WithdrawPullRequest})

    def harmless(self, effect: OpenPullRequest, texts: Texts) -> OpenPullRequest:
        body, folded = map(with_checks, texts.page(effect.body, effect.folded))
        return replace(effect, title=texts.line(effect.title, 200), body=body, folded=folded)

    def said(self, effect: OpenPullRequest) -> Sequence[str]:
        return (effect.body,)

    def remedy(self, effect: OpenPullRequest, error: Exception) -> str:
        return of_opening(str(error), effect.branch, effect.base)

    async def send(self, effect: OpenPullRequest, to: Destination) -> Applied:
        asked = {"head": effect.branch, "base": effect.base, "title": effect.title, "draft": effect.draft}
        body = to.signed(page(effect.body, effect.folded))
        try:
            return _pull(await to.post("/pulls", {**asked, "body": body}))
        except GitHubError as refusal:
            words = refusal.message.casefold()
            if refusal.status == 422 and "already exists" in words:
                if found := await self.find(effect, to):
                    return found
                if not await self._there(effect, to):
                    raise Ambiguous(422, "a pull request is there that is not shown yet") from refusal
            if refusal.status == 422 and "head" in words:
                await self._not_seen_yet(effect, to)
            raise

    @staticmethod
    async def _not_seen_yet(effect: OpenPullRequest, to: Destination) -> None:
        """`RateLimited` where the branch is there: GitHub does not see at once everywhere what it has."""
        try:
            await to.get("/git/ref/heads/{+branch}", branch=effect.branch)
        except Gone:
            return
        raise RateLimited(f"GitHub does not see {effect.branch} yet")

    @staticmethod
    async def _there(effect: OpenPullRequest, to: Destination) -> list[Any]:
        head = f"{to.repo.owner}:{effect.branch}"
        found = await to.get("/pulls{?head,state,per_page}", head=head, state="all", per_page=100)
        return found if isinstance(found, list) else []

    async def find(self, effect: OpenPullRequest, to: Destination) -> Applied | None:
        some = await self._there(effect, to)
        return next((_pull(one) for one in some if to.marker.made(one, to.key)), None)

    async def mended(
        self, effect: OpenPullRequest, to: Destination, refusal: GitHubError
    ) -> OpenPullRequest | None:
        """Not every plan of GitHub's knows drafts."""
        if not effect.draft or "draft" not in str(refusal).casefold():
            return None
        return replace(effect, draft=False, title=f"Draft: {effect.title}")

    def undone(self, effect: OpenPullRequest, github_id: int, facts: UndoFacts) -> Undone:
        return Undone([WithdrawPullRequest(github_id)], f"pull request {github_id}")


def _pull(found: Any) -> Applied:
    return Applied(str(found["html_url"]), int(found["number"]))


class OfWithdrawPullRequest(Changing[WithdrawPullRequest]):
    kind = WithdrawPullRequest
    permissions = ("pull_requests",)
    stays = "that I closed a pull request of mine: reopen it where it is wanted"

    async def send(self, effect: WithdrawPullRequest, to: Destination) -> Applied:
        """Only one that the App opened."""
        found = await to.get("/pulls/{number}", number=effect.number)
        if not to.marker.ours(found):
            raise UserError(f"pull request {effect.number} is not mine", "close it yourself")
        if found.get("state") == "open":
            await to.patch("/pulls/{number}", {"state": "closed"}, number=effect.number)
        return Applied()


class OfDeleteBranch(Changing[DeleteBranch]):
    kind = DeleteBranch
    permissions = ("contents",)
    stays = "that I deleted a branch of mine: GitHub restores it from its pull request"

    async def send(self, effect: DeleteBranch, to: Destination) -> Applied:
        """Only while the newest commit on it is Hob's."""
        try:
            ref = await to.get("/git/ref/heads/{+branch}", branch=effect.branch)
        except Gone:
            return Applied()
        tip = await to.get("/git/commits/{sha}", sha=str(ref["object"]["sha"]))
        if not to.marker.trailed(tip.get("message")):
            raise UserError(f"somebody has gone on from `{effect.branch}`", "delete the branch yourself")
        await to.delete("/git/refs/heads/{+branch}", branch=effect.branch)
        return Applied()


class OfRevertCommit(OnGitHub[RevertCommit]):
    kind = RevertCommit
    permissions = ("contents",)
    stays = "that I took a commit of mine back: `git revert` brings it again"

    async def send(self, effect: RevertCommit, to: Destination) -> Applied:
        """Never by force: whoever went on from it keeps it."""
        gone = await to.get("/git/commits/{sha}", sha=effect.commit)
        if not to.marker.trailed(gone.get("message")):
            raise UserError(f"{effect.commit[:10]} is not mine", "revert it yourself")
        before = await to.get("/git/commits/{sha}", sha=str(gone["parents"][0]["sha"]))
        subject = str(gone["message"]).partition("\n")[0]
        asked = {
            "message": f"Revert: {subject}\n\n{to.marker.trailer(to.key)}",
            "tree": str(before["tree"]["sha"]),
            "parents": [effect.commit],
        }
        made = str((await to.post("/git/commits", asked))["sha"])
        await to.patch("/git/refs/heads/{+branch}", {"sha": made, "force": False}, branch=effect.branch)
        return Applied(_commit_page(to, made))

    async def find(self, effect: RevertCommit, to: Destination) -> Applied | None:
        return await _pushed(effect.branch, to)


FAMILY = (OfPushCommit(), OfOpenPullRequest(), OfWithdrawPullRequest(), OfDeleteBranch(), OfRevertCommit())
