"""Commits, branches and pull requests of Hob's own: one of each whatever breaks, nobody else's touched."""

import re
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from bot.core.effects import DeleteBranch, Effect, OpenPullRequest, PushCommit, WithdrawPullRequest
from bot.core.errors import Ambiguous, GitHubError, RateLimited, UserError
from bot.core.merging import CommittedFile
from bot.core.refs import RepoRef, Sha
from bot.effects import on_github
from bot.effects.base import Applied, Destination
from bot.effects.code import FILES_A_CALL
from bot.effects.texts import Texts
from bot.github.client import GitHub
from bot.testing.github import GitHubStandIn as StandIn
from bot.testing.github import executable
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from bot.testing.github.rest import git_data
from tests.github.conftest import KEY, MARKER, Connect

BRANCH = "hob/fix-1-abc"
OPEN = OpenPullRequest(1, BRANCH, "main", "Brew cooler", "What was done.")
FAULTS = ["apply_then_answer", "apply_then_reset", "apply_then_hang", "answer", "reset"]


@pytest.fixture(autouse=True)
def may_write_code(gh: StandIn) -> None:
    for one in gh.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}


def commit(repository: Repository, *files: CommittedFile, **more: Any) -> PushCommit:
    parent = Sha(repository.git.resolve("refs/heads/main") or "")
    some = files or (CommittedFile("brew.py", "cool = 1\n"), CommittedFile("new/file.py", "x = 1\n"))
    given: dict[str, Any] = {"branch": BRANCH, "parent": parent, **more}
    return PushCommit(number=1, files=some, message="Brew cooler\n\nAs was asked.", **given)


async def deliver(github: GitHub, repo: RepoRef, effect: Effect, key: str = KEY) -> Applied:
    """As a job does it: send; when nobody knows, look, and send again only what is not there."""
    duties = on_github(effect)
    async with github.repository(repo, duties.needs(effect)) as api:
        to = Destination(api, repo, key, MARKER)
        for _ in range(4):
            try:
                return await duties.send(effect, to)
            except Ambiguous:
                if found := await duties.find(effect, to):
                    return found
    raise AssertionError("not delivered")


async def find(github: GitHub, repo: RepoRef, effect: Effect, key: str = KEY) -> Applied | None:
    duties = on_github(effect)
    async with github.repository(repo, duties.needs(effect)) as api:
        return await duties.find(effect, Destination(api, repo, key, MARKER))


def refs(repository: Repository) -> list[str]:
    return sorted(repository.git.run("for-each-ref", "--format=%(refname)", "refs/heads").decode().split())


def text(repository: Repository, path: str, ref: str = BRANCH) -> str:
    return repository.git.run("show", f"refs/heads/{ref}:{path}").decode()


async def test_a_commit_is_one_branch_with_one_commit_and_is_found_again(
    github: GitHub, repo: RepoRef, repository: Repository, gh: StandIn
) -> None:
    repository.commit({"run.sh": executable("echo 1\n"), "gone.py": "y = 1\n"})
    files = (
        CommittedFile("run.sh", "echo 2\r\n", "100755"),
        CommittedFile("gone.py", None),
        CommittedFile("new/größe.py", "x = 'ü'"),
    )
    effect = commit(repository, *files, trailers=("Co-authored-by: mona <1+mona@users.noreply.github.com>",))
    assert await find(github, repo, effect) is None
    made = await deliver(github, repo, effect)
    assert await find(github, repo, effect) == made
    assert refs(repository) == [f"refs/heads/{BRANCH}", "refs/heads/main"]
    (one,) = repository.git.log("main", BRANCH)
    assert one.parents == (effect.parent,)
    assert one.message.startswith("Brew cooler\n\nAs was asked.\n\nCo-authored-by: mona <")
    assert made.url.endswith(one.sha)
    listed = repository.git.run("ls-tree", "-r", BRANCH).decode()
    assert "100755" in listed.partition("run.sh")[0].splitlines()[-1]
    assert "gone.py" not in listed
    assert text(repository, "run.sh") == "echo 2\r\n"
    assert text(repository, "new/größe.py") == "x = 'ü'"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", ["/git/trees$", "/git/commits$", "/git/refs$"])
async def test_R3_whatever_github_answers_at_whatever_step_there_is_one_branch(
    gh: StandIn, connect: Connect, repo: RepoRef, repository: Repository, step: str, fault: Any
) -> None:
    gh.fault("POST", step, kind=fault, status=502, seconds=20)
    await deliver(connect(deadline=1.0), repo, commit(repository))
    assert refs(repository) == [f"refs/heads/{BRANCH}", "refs/heads/main"]
    assert len(repository.git.log("main", BRANCH)) == 1


@pytest.mark.parametrize("fault", FAULTS)
async def test_R3_there_is_one_pull_request(
    gh: StandIn, connect: Connect, repo: RepoRef, repository: Repository, fault: Any
) -> None:
    await deliver(connect(), repo, commit(repository))
    gh.fault("POST", "/pulls$", kind=fault, status=502, seconds=20)
    made = await deliver(connect(deadline=1.0), repo, OPEN)
    (pull,) = [one for one in repository.pulls if one.author.login == "hob[bot]"]
    assert (pull.draft, pull.head_ref, pull.base_ref, made.github_id) == (True, BRANCH, "main", pull.number)
    assert await find(connect(), repo, OPEN) == made


@pytest.mark.parametrize("own", [True, False])
async def test_R3_a_commit_that_lists_do_not_show_yet_is_found_by_its_branch(
    gh: StandIn, connect: Connect, repo: RepoRef, repository: Repository, pull: PullRequest, own: bool
) -> None:
    """Neither is it told as somebody else's branch, nor as somebody's push."""
    there = {} if own else {"own": False, "branch": pull.head_ref, "parent": Sha(pull.head_sha)}
    effect = commit(repository, CommittedFile("tea.py", "cooler\n"), **there)
    gh.fault("POST" if own else "PATCH", "/git/refs", kind="apply_then_answer", status=502)
    gh.fault("GET", "/commits$", kind="answer", status=404)
    made = await deliver(connect(deadline=1.0), repo, effect)
    tip = repository.git.resolve(f"refs/heads/{effect.branch}") or ""
    assert made.url.endswith(tip)
    assert len(repository.git.log(effect.parent, effect.branch)) == 1


async def test_R3_a_branch_that_is_there_and_is_not_found_is_looked_for_again(
    gh: StandIn, connect: Connect, repo: RepoRef, repository: Repository
) -> None:
    gh.fault("POST", "/git/refs", kind="apply_then_answer", status=502)
    gh.fault("GET", "/commits$", kind="answer", status=404, times=2)
    gh.fault("GET", "/git/ref/heads", kind="answer", status=404)
    assert (await deliver(connect(deadline=1.0), repo, commit(repository))).url
    assert len(repository.git.log("main", BRANCH)) == 1


async def test_R3_a_branch_that_github_does_not_see_yet_is_not_said_to_be_gone(
    gh: StandIn, connect: Connect, repo: RepoRef, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(connect(), repo, commit(repository))
    points_at, asked = git_data._points_at, []

    def late(repo: Repository, name: str) -> str | None:
        asked.append(name)
        return None if len(asked) == 1 else points_at(repo, name)

    monkeypatch.setattr(git_data, "_points_at", late)
    with pytest.raises(RateLimited, match="does not see"):
        await deliver(connect(), repo, OPEN)
    assert (await deliver(connect(), repo, OPEN)).github_id
    gone = replace(OPEN, branch="hob/fix-1-gone")
    with pytest.raises(GitHubError, match="head"):
        await deliver(connect(), repo, gone)


async def test_a_hundred_and_twenty_files_take_a_call_for_each_fifty(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    many = [CommittedFile(f"made/f{n}.py", f"n = {n}\n") for n in range(120)]
    await deliver(github, repo, commit(repository, *many))
    assert len([one for one in gh.writes() if one.path.endswith("/git/trees")]) == -(-120 // FILES_A_CALL)
    assert text(repository, "made/f119.py") == "n = 119\n"


async def test_the_authors_branch_is_only_moved_forward(
    github: GitHub, repo: RepoRef, repository: Repository, pull: PullRequest
) -> None:
    there = {"own": False, "branch": pull.head_ref, "parent": Sha(pull.head_sha)}
    effect = commit(repository, CommittedFile("tea.py", "cooler\n"), **there)
    await deliver(github, repo, effect)
    assert [one.parents for one in repository.git.log(effect.parent, pull.head_sha)] == [(effect.parent,)]
    assert await find(github, repo, effect)
    before = pull.push({"tea.py": "mine\n"})
    with pytest.raises(GitHubError, match="fast forward"):
        await deliver(github, repo, effect, "f" * 40)
    assert pull.head_sha == before


@pytest.mark.parametrize(
    "name", ["main#12-cooler", "feature/#12", "main%23x", "50%", "a%2Fb", "a&b=c;d", "a+b", "käse"]
)
async def test_a_branch_of_any_name_is_that_branch_and_no_other(
    github: GitHub, repo: RepoRef, repository: Repository, name: str
) -> None:
    head = repository.commit({"brew.py": "warm = 1\n"}, branch=name)
    repository.commit({"x.py": "x = 1\n"}, branch="a/b")
    before = {one: repository.git.resolve(one) for one in refs(repository)}
    pushed = commit(repository, branch=name, parent=Sha(head), own=False)
    await deliver(github, repo, pushed)
    after = {one: repository.git.resolve(one) for one in refs(repository)}
    assert {one for one in after if after[one] != before.get(one)} == {f"refs/heads/{name}"}
    assert text(repository, "brew.py", name) == "cool = 1\n"
    assert await find(github, repo, pushed)


async def test_a_branch_of_that_name_that_is_not_ours_is_left_alone(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    theirs = repository.commit({"x.py": "1\n"}, branch=BRANCH)
    effect = commit(repository)
    assert await find(github, repo, effect) is None
    with pytest.raises(GitHubError, match="already exists"):
        await deliver(github, repo, effect)
    with pytest.raises(UserError):
        await deliver(github, repo, DeleteBranch(BRANCH))
    assert repository.git.resolve(BRANCH) == theirs


async def test_undoing_takes_branch_and_pull_request_away_but_nobody_elses_work(
    github: GitHub, repo: RepoRef, repository: Repository
) -> None:
    await deliver(github, repo, commit(repository))
    made = await deliver(github, repo, OPEN)
    tip = repository.git.resolve(BRANCH)
    repository.commit({"brew.py": "mine\n"}, branch=BRANCH, author="mona")
    with pytest.raises(UserError, match="somebody has gone on"):
        await deliver(github, repo, DeleteBranch(BRANCH))
    repository.git.point(f"refs/heads/{BRANCH}", tip)
    for _ in range(2):
        await deliver(github, repo, WithdrawPullRequest(made.github_id))
        await deliver(github, repo, DeleteBranch(BRANCH))
    assert refs(repository) == ["refs/heads/main"]
    assert repository.issues[made.github_id].state == "closed"


async def test_nobody_elses_pull_request_is_closed(github: GitHub, repo: RepoRef, pull: PullRequest) -> None:
    with pytest.raises(UserError, match="not mine"):
        await deliver(github, repo, WithdrawPullRequest(pull.number))
    assert pull.state == "open"


@pytest.mark.parametrize("name", ["protected", "ruleset", "signatures", "push protection", "no permission"])
async def test_what_a_branchs_rules_refuse_leaves_nothing_and_keeps_the_patch(
    github: GitHub, repo: RepoRef, repository: Repository, name: str
) -> None:
    repository.protected[BRANCH] = name
    effect = commit(repository, patch="--- a/brew.py\n+++ b/brew.py\n")
    with pytest.raises(GitHubError):
        await deliver(github, repo, effect)
    assert refs(repository) == ["refs/heads/main"]
    assert "git apply" in on_github(effect).said(effect)[0]


async def test_without_drafts_it_is_named_one(github: GitHub, repo: RepoRef, repository: Repository) -> None:
    repository.drafts = False
    await deliver(github, repo, commit(repository))
    duties = on_github(OPEN)
    async with github.repository(repo, duties.needs(OPEN)) as api:
        to = Destination(api, repo, KEY, MARKER)
        with pytest.raises(GitHubError) as refused:
            await duties.send(OPEN, to)
        mended = await duties.mended(OPEN, to, refused.value)
        assert mended
        await duties.send(mended, to)
    assert repository.pulls[-1].title == "Draft: Brew cooler"


SECRET = "ghs_" + "k3Y9Zq" * 7
FORMS = {
    "whole": SECRET,
    "cut": SECRET[7:],
    "base64": b64encode(f"k={SECRET}".encode()).decode(),
    "hexadecimal": SECRET.encode().hex(),
    "reversed": SECRET[::-1],
    "spaced": " ".join(SECRET),
    "a character a line": "\n".join(SECRET),
    "with what nobody sees": "\u200b".join(SECRET),
}


@pytest.mark.parametrize("where", ["text", "path", "deleted", "two files", "patch"])
async def test_X1_a_commit_that_holds_a_secret_of_hobs_is_not_made(
    github: GitHub, repo: RepoRef, repository: Repository, where: str
) -> None:
    for said in FORMS.values():
        half = len(said) // 2
        files = {
            "text": [CommittedFile("a.py", f"token = '{said}'\n")],
            "path": [CommittedFile(f"made/{said}.py", "x = 1\n")],
            "deleted": [CommittedFile(said, None)],
            "two files": [CommittedFile("a.py", said[:half]), CommittedFile("b.py", said[half:])],
            "patch": [CommittedFile("a.py", "x = 1\n")],
        }[where]
        leaking = commit(repository, *files, patch=f"+{said}" if where == "patch" else "")
        clean = on_github(leaking).harmless(leaking, Texts(repo, (SECRET,)))
        assert clean.files == ()
        assert said not in str(clean)
    with pytest.raises(UserError, match="credential"):
        await deliver(github, repo, clean)
    assert refs(repository) == ["refs/heads/main"]


SKIPS = [
    *("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", "[SKIP  CI]", "[skip-ci]"),
    *("***NO_CI***", "skip-checks: true", "skip-checks:true", "[skip netlify]", "[azurepipelines skip]"),
    *("`[skip ci]`", "[skip\u200b ci]", "**[**skip ci]", "\\[skip ci\\]"),
]
RUNS_NO_CHECKS = re.compile(
    r"\[[\w -]*\bskip\b[\w -]*\]|\[no[ -]?ci\]|\*{3}NO_CI\*{3}|^skip-checks: ?true",
    re.IGNORECASE | re.MULTILINE,
)


@pytest.mark.parametrize("said", SKIPS)
async def test_a_commit_never_keeps_checks_from_running(
    repo: RepoRef, repository: Repository, said: str
) -> None:
    """Whoever merges takes a commit without failed checks for a good one."""
    texts = Texts(repo)
    effect = replace(commit(repository), message=f"Brew {said}\n\nCooler. {said}\n\n{said}")
    pushed = on_github(effect).harmless(effect, texts)
    opening = replace(OPEN, title=f"Brew {said}", body=f"Cooler. {said}\n\n{said}", folded=said)
    opened = on_github(opening).harmless(opening, texts)
    for text in (pushed.message, opened.title, opened.body, opened.folded):
        assert not RUNS_NO_CHECKS.search(text), text
    assert on_github(effect).harmless(pushed, texts) == pushed


async def test_X3_a_commits_message_closes_and_names_nobody(repo: RepoRef, repository: Repository) -> None:
    said = "Fixes #12 for @mona\n\nCloses octo/tea#3, thanks @octo/team\n\nCo-authored-by: eve <e@x>"
    effect = PushCommit(1, BRANCH, Sha("a" * 40), (), said)
    forged = replace(effect, trailers=("Fixes: #1", "Co-authored-by: x <x@evil.example>\nFixes #2"))
    assert on_github(forged).harmless(forged, Texts(repo)).trailers == ()
    clean = on_github(effect).harmless(effect, Texts(repo)).message
    assert "#12" not in clean.partition("\n")[0]
    assert "@mona" not in clean.partition("\n")[0]


def merge(repository: Repository, pull: PullRequest, **more: Any) -> PushCommit:
    """Of main into the pull request's branch, on main's tree."""
    base = repository.commit({"base.py": "b = 1\n", "logo.png": b"\0\1"})
    git = repository.git
    blob = git.objects([f"{pull.head_sha}:tea.py"])[f"{pull.head_sha}:tea.py"][1]
    files = (CommittedFile("tea.py", None, sha=blob), CommittedFile("new.py", "n = 1\n"))
    given: dict[str, Any] = {"parent": Sha(pull.head_sha), "merges": Sha(base), "files": files, **more}
    tree = git.commit(base).tree
    return PushCommit(1, BRANCH, message="Merge", tree=tree, **given)


async def test_a_merge_commit_has_two_parents_and_names_what_github_has(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, pull: PullRequest
) -> None:
    effect = merge(repository, pull)
    made = await deliver(github, repo, effect)
    one = repository.git.commit(repository.git.resolve(BRANCH) or "")
    assert one.parents == (effect.parent, effect.merges)
    assert text(repository, "tea.py") == pull.text("tea.py")
    assert (text(repository, "base.py"), text(repository, "new.py")) == ("b = 1\n", "n = 1\n")
    assert await find(github, repo, effect) == made
    whole = replace(effect, branch=f"{BRANCH}-2", whole=one.tree)
    await deliver(github, repo, whole, "f" * 40)
    assert repository.git.commit(repository.git.resolve(whole.branch) or "").tree == one.tree


@pytest.mark.parametrize("fault", ["apply_then_reset", "answer"])
@pytest.mark.parametrize("step", ["/git/trees$", "/git/commits$", "/git/refs$"])
async def test_R3_a_merge_commit_is_one_whatever_github_answers(
    gh: StandIn,
    connect: Connect,
    repo: RepoRef,
    repository: Repository,
    pull: PullRequest,
    step: str,
    fault: Any,
) -> None:
    effect = merge(repository, pull)
    gh.fault("POST", step, kind=fault, status=502, seconds=20)
    await deliver(connect(deadline=1.0), repo, effect)
    assert len(repository.git.log(effect.parent, BRANCH)) == 2  # it, and the base's


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"files": (CommittedFile("x.py", None, sha="1" * 40),)}, GitHubError),
        ({"merges": Sha("1" * 40)}, GitHubError),
        ({"whole": "1" * 40}, UserError),
    ],
)
async def test_what_github_does_not_have_or_makes_otherwise_is_no_merge(
    github: GitHub,
    repo: RepoRef,
    repository: Repository,
    pull: PullRequest,
    more: Any,
    error: type[Exception],
) -> None:
    before = refs(repository)
    with pytest.raises(error):
        await deliver(github, repo, merge(repository, pull, **more))
    assert refs(repository) == before


async def test_a_workflow_that_stands_on_no_branch_is_refused_and_why_is_said(
    gh: StandIn, github: GitHub, repo: RepoRef, repository: Repository, pull: PullRequest
) -> None:
    path = ".github/workflows/x.yml"
    base = repository.commit({path: "on: push\n"}, branch="other")
    effect = merge(repository, pull, merges=Sha(base), workflows=True)
    effect = replace(effect, tree=repository.git.commit(base).tree)
    await deliver(github, repo, effect)
    assert text(repository, path) == "on: push\n"
    for branch in (BRANCH, "other"):
        repository.git.point(f"refs/heads/{branch}", None)
    with pytest.raises(GitHubError) as refused:
        await deliver(github, repo, replace(effect, branch=f"{BRANCH}-2"), "f" * 40)
    assert "Workflows" in on_github(effect).remedy(effect, refused.value)
