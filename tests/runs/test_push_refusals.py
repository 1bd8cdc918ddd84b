"""What GitHub does not let Hob push or open is told once, in words, with what to do and the patch; nothing is
said to be done that is not, and nothing is pushed to a head that nobody asked about."""

from typing import Any

import pytest

from bot.effects.code import OfOpenPullRequest, OfPushCommit
from bot.testing.github.pulls import PullRequest
from bot.testing.github.refusals import PUSHES
from tests.living import LivingHob
from tests.runs.test_patches import NEW_TEST, ON, asks, branches, drafts, edits, opened
from tests.runs.test_refusals import lost

ADDED = "+    assert brew(2) == 2"
REFS = r"/git/refs$"


class Every(dict[str, str]):
    """All branches are protected by this."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def get(self, key: str, default: Any = None) -> Any:
        return self.name


async def ready(hob: LivingHob, config: str = ON, **more: Any) -> PullRequest:
    pull = opened(hob, config, **more)
    await hob.works()
    hob.ollama.answer = edits(NEW_TEST)
    return pull


WORDS = {
    "protected": "Let the App bypass that rule",
    "ruleset": "Let the App bypass that rule",
    "signatures": "sign the commit yourself",
    "push protection": "takes something in this patch for a credential",
    "no permission": "Contents: read and write",
    "archived": "while it is archived",
    "status checks": "Let the App bypass that rule",
    "only by pull request": "Let the App bypass that rule",
    "not authorized": "Let the App bypass that rule",
    "name taken below": "a branch named `hob` is in the way",
    "push protection, 409": "takes something in this patch for a credential",
    "restricted path": "Let the App bypass that rule",
    "empty": "push a first one",
}


@pytest.mark.parametrize("name", WORDS)
async def test_a_push_that_is_refused_is_told_once_in_words_with_the_patch(hob: LivingHob, name: str) -> None:
    pull = await ready(hob)
    pull.code.protected = Every(name)
    (said,) = await asks(hob, pull, "tests")
    assert WORDS[name] in said
    assert ADDED in said
    assert "git apply" in said
    assert "I proposed" not in said
    assert (branches(pull.code), drafts(hob)) == ([], [])
    assert set(PUSHES) <= set(WORDS)


@pytest.mark.parametrize("name", ["protected", "status checks", "signatures"])
async def test_the_authors_branch_may_be_protected_too(hob: LivingHob, name: str) -> None:
    pull = await ready(hob, "code: {enabled: true, push: author}\n")
    before = pull.head_sha
    pull.code.protected = Every(name)
    (said,) = await asks(hob, pull, "tests")
    assert WORDS[name] in said
    assert ADDED in said
    assert "I pushed" not in said
    assert pull.head_sha == before


async def test_a_branch_of_that_name_that_is_a_persons_is_left_alone(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no pull request is opened from it."""
    pull = await ready(hob)
    send = OfPushCommit.send

    async def late(self: Any, effect: Any, to: Any) -> Any:
        if not branches(pull.code):
            pull.code.commit({"x.py": "1\n"}, branch=effect.branch)
        return await send(self, effect, to)

    monkeypatch.setattr(OfPushCommit, "send", late)
    (said,) = await asks(hob, pull, "tests")
    (theirs,) = branches(pull.code)
    assert f"A branch `{theirs}` that is not mine stands there" in said
    assert ADDED in said
    assert drafts(hob) == []


async def test_a_branch_named_hob_is_in_the_way(hob: LivingHob) -> None:
    pull = await ready(hob)
    pull.code.commit({"x.py": "1\n"}, branch="hob")
    (said,) = await asks(hob, pull, "tests")
    assert "a branch named `hob` is in the way" in said
    assert ADDED in said
    assert drafts(hob) == []


async def test_a_pull_request_that_is_refused_leaves_the_branch_and_says_where_it_is(hob: LivingHob) -> None:
    pull = await ready(hob)
    hob.github.fault("POST", r"/pulls$", kind="refuse", says="no permission", times=9)
    (said,) = await asks(hob, pull, "tests")
    (branch,) = branches(pull.code)
    assert f"The commit is on `{branch}`" in said
    assert "Pull requests: read and write" in said
    assert "I proposed" not in said
    await asks(hob, pull, "undo")
    assert branches(pull.code) == []


async def test_the_base_is_deleted_meanwhile(hob: LivingHob, monkeypatch: pytest.MonkeyPatch) -> None:
    pull = await ready(hob)
    send = OfOpenPullRequest.send

    async def late(self: Any, effect: Any, to: Any) -> Any:
        pull.git.point(f"refs/heads/{pull.head_ref}", None)
        return await send(self, effect, to)

    monkeypatch.setattr(OfOpenPullRequest, "send", late)
    (said,) = await asks(hob, pull, "tests")
    assert f"The branch `{pull.head_ref}` is gone" in said
    assert "I proposed" not in said


async def test_A5_a_push_between_the_command_and_its_run_stops_it(hob: LivingHob) -> None:
    pull = await ready(hob)
    before = len(hob.ollama.chats)
    pull.comment("ann", "@my-hob tests")
    head = pull.force_push({"tea.py": "y = 1\n"}, author="ann")
    await hob.works()
    assert "There was a push after you asked" in pull.comments[-1].body
    assert (branches(pull.code), pull.head_sha) == ([], head)
    assert not any("edits" in str(one.get("format")) for one in hob.ollama.chats[before:])
    await asks(hob, pull, "tests")
    assert len(branches(pull.code)) == 1


async def test_A5_what_was_pushed_before_the_command_does_not_stop_it(hob: LivingHob) -> None:
    pull = await ready(hob)
    pull.push({"tea.py": "y = 1\n"}, author="ann")
    pull.comment("ann", "@my-hob tests")
    await hob.works()
    assert len(branches(pull.code)) == 1


class Killed(BaseException):
    """As if the process were killed."""


@pytest.mark.parametrize("push", ["branch", "author"])
@pytest.mark.parametrize("moment", ["before the push", "after the push"])
async def test_A5_R3_killed_at_the_push_the_next_attempt_goes_on_or_says_why_not(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch, push: str, moment: str
) -> None:
    """Before: the head moves on meanwhile, nothing is pushed, and that is said. After: what was pushed is
    found, and is told."""
    pull = await ready(hob, f"code: {{enabled: true, push: {push}}}\n")
    send = OfPushCommit.send

    async def dies(self: Any, effect: Any, to: Any) -> Any:
        if moment == "after the push":
            await send(self, effect, to)
        raise Killed

    pull.comment("ann", "@my-hob tests")
    with monkeypatch.context() as patched:
        patched.setattr(OfPushCommit, "send", dies)
        with pytest.raises(Killed):
            await hob.works()
    if moment == "before the push":
        pull.force_push({"tea.py": "y = 1\n"}, author="ann")
    head = pull.head_sha
    lost(hob)
    await hob.retries()
    await hob.works()
    said = "\n".join(one.body for one in pull.comments if one.author.login == "my-hob[bot]")
    assert pull.head_sha == head
    if moment == "after the push":
        assert ("I pushed one commit" if push == "author" else "I proposed it as a draft") in said
        assert len(drafts(hob)) == (push == "branch")
        return
    assert "I p" not in said
    assert f"I stopped: the head moved on to `{head[:12]}`. Ask again" in said
    assert branches(pull.code) == []
