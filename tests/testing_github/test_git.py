"""The files of a pull request, against git's own word."""

import subprocess
from pathlib import Path

import pytest

from bot.testing.github import executable, submodule, symlink
from bot.testing.github.git import Content, FileChange, GitRepo
from bot.testing.github.hunks import at_position, find, rows
from tests.testing_github.caller import with_token
from tests.testing_github.conftest import Tea, text

BEFORE: dict[str, Content] = {
    "kept.py": text(),
    "gone.py": "bye\n",
    "moved here.py": text(l1="moved"),
    "run.sh": "echo\n",
    "image.png": b"\x89PNG\0\1",
    "vendor/lib": submodule("1" * 40),
    "dos.txt": "one\r\ntwo\r\n",
    "feed.txt": "a\fb\nc\x0bd\n\u2028e\n",
    "typed": "was a file\n",
}
AFTER: dict[str, Content] = {
    "kept.py": text(l5="new").rstrip("\n"),
    "gone.py": None,
    "moved here.py": None,
    "móved/there \"x\".py": text(l1="moved", l30="changed"),
    "run.sh": executable("echo\n"),
    "image.png": b"\x89PNG\0\2",
    "vendor/lib": submodule("2" * 40),
    "dos.txt": "one\r\ntwo\r\nthree\r\n",
    "feed.txt": "a\fb\nc\x0bd\n\u2028f\n",
    "typed": symlink("kept.py"),
    "new.txt": "diff --git a/x b/x\n@@ -1 +1 @@\n",
    "empty.txt": "",
}  # fmt: skip


@pytest.fixture
def changed(tea: Tea) -> dict[str, FileChange]:
    tea.repo.commit(BEFORE, "Before")
    pull = tea.repo.open_pull_request("Many", AFTER, author="mona")
    return {change.path: change for change in pull.files()}


def test_each_kind_of_change_has_githubs_word(changed: dict[str, FileChange]) -> None:
    told = {
        path: (one.status, one.additions, one.deletions, one.patch is None) for path, one in changed.items()
    }
    assert told == {
        "kept.py": ("modified", 2, 2, False),
        "gone.py": ("removed", 0, 1, False),
        'móved/there "x".py': ("renamed", 1, 1, False),
        "run.sh": ("changed", 0, 0, True),
        "image.png": ("modified", 0, 0, True),
        "vendor/lib": ("modified", 1, 1, False),
        "dos.txt": ("modified", 1, 0, False),
        "feed.txt": ("modified", 1, 1, False),
        "typed": ("changed", 1, 1, True),
        "new.txt": ("added", 2, 0, False),
        "empty.txt": ("added", 0, 0, True),
    }
    assert changed['móved/there "x".py'].previous == "moved here.py"


def test_patches_are_gits_own_hunks(changed: dict[str, FileChange], tea: Tea) -> None:
    pull = tea.repo.pulls[-1]
    for path, change in changed.items():
        if change.patch is None:
            continue
        paths = [path, *([change.previous] if change.previous else [])]
        whole = subprocess.run(
            [
                "git",
                "--git-dir",
                str(tea.repo.git.path),
                "diff",
                "-M",
                pull.merge_base,
                pull.head_sha,
                "--",
                *paths,
            ],
            capture_output=True,
            check=True,
        ).stdout.decode()
        assert whole[whole.index("\n@@ ") + 1 :].removesuffix("\n") == change.patch


def test_the_lines_of_a_patch_are_numbered_as_the_files_are(changed: dict[str, FileChange], tea: Tea) -> None:
    pull = tea.repo.pulls[-1]
    for path in ("kept.py", "dos.txt", "feed.txt"):
        numbered = [row for row in rows(changed[path].patch or "") if (row.left, row.right) != (None, None)]
        assert numbered
        for row in numbered:
            for number, sha in ((row.left, pull.merge_base), (row.right, pull.head_sha)):
                assert number is None or pull.text(path, sha).split("\n")[number - 1] == row.text[1:]


def test_positions_count_on_across_hunks(tea: Tea) -> None:
    patch = tea.pull.patch("brew.py")
    second = find(patch, 40, "RIGHT")
    assert second is not None
    assert at_position(patch, second.position) == second
    assert second.diff_hunk.startswith("@@ -37,7 +37,7 @@")
    assert second.diff_hunk.endswith("+very hot")
    assert at_position(patch, 0) is None


def test_large_patches_are_left_out(tea: Tea) -> None:
    pull = tea.repo.open_pull_request(
        "Big", {"big.txt": "x\n" * 20_001, "wide.txt": "y" * 500_001}, author="mona"
    )
    assert [(change.patch, change.additions) for change in pull.files()] == [(None, 20_001), (None, 1)]


def test_N3_pages_and_the_most_files(tea: Tea) -> None:
    files: dict[str, Content] = {f"f/{number:04}.txt": f"{number}\n" for number in range(3010)}
    tea.repo.open_pull_request("Many", files, author="mona")
    path = f"{tea.path}/pulls/2/files"
    first = tea.call("GET", f"{path}?per_page=100")
    assert len(first.json) == 100
    assert f'<{tea.gh.api_url}{path}?per_page=100&page=30>; rel="last"' in first.headers["link"]
    assert 'rel="prev"' not in first.headers["link"]
    last = tea.call("GET", f"{path}?per_page=100&page=30")
    assert last.json[-1]["filename"] == "f/2999.txt"
    assert 'rel="next"' not in last.headers["link"]
    assert tea.call("GET", f"{path}?per_page=100&page=31").json == []
    assert len(tea.call("GET", f"{path}?per_page=500").json) == 100
    assert len(tea.call("GET", path).json) == 30
    diff = tea.call("GET", f"{tea.path}/pulls/2", Accept="application/vnd.github.diff")
    assert diff.status == 406


def test_a_fork_and_its_end(tea: Tea) -> None:
    pull = tea.repo.open_pull_request(
        "From outside", {"x.py": "x\n"}, author="stranger", fork=True, draft=True
    )
    told = tea.call("GET", f"{tea.path}/pulls/2").json
    assert (told["head"]["repo"]["full_name"], told["head"]["repo"]["fork"]) == ("stranger/tea", True)
    assert (told["draft"], told["author_association"]) == (True, "NONE")
    pull.delete_fork()
    assert tea.call("GET", f"{tea.path}/pulls/2").json["head"]["repo"] is None
    assert tea.call("GET", f"{tea.path}/contents/x.py?ref={pull.head_sha}").status == 200


def test_a_force_push_leaves_the_old_commits_behind(tea: Tea) -> None:
    old = tea.pull.head_sha
    new = tea.pull.force_push({"brew.py": text(l20="other")}, "Again")
    assert [commit.sha for commit in tea.pull.commits] == [new]
    review = {"event": "COMMENT", "body": "late", "commit_id": old}
    assert tea.call("POST", f"{tea.path}/pulls/1/reviews", review).status == 422
    event = tea.gh.deliveries[-1].payload
    assert (event["action"], event["before"], event["after"]) == ("synchronize", old, new)


def test_only_what_the_branch_changed_counts_when_the_base_moves_on(tea: Tea) -> None:
    tea.repo.commit({"unrelated.txt": "x\n"}, "Meanwhile")
    tea.pull.push({"brew.py": text(l10="hot", l40="very hot", l50="new")})
    assert [change.path for change in tea.pull.files()] == ["brew.py"]
    assert len(tea.pull.commits) == 2


def test_files_directories_links_and_blobs_are_read_at_any_commit(tea: Tea) -> None:
    tea.repo.commit({**BEFORE, "link": symlink("kept.py")}, "Before")
    reader = with_token(tea.gh, contents="read")
    assert reader("GET", f"{tea.path}/contents/brew.py?ref={tea.pull.head_sha}").json["type"] == "file"
    assert reader("GET", f"{tea.path}/contents/link").json["target"] == "kept.py"
    assert reader("GET", f"{tea.path}/contents/vendor/lib").json["type"] == "submodule"
    assert [one["type"] for one in reader("GET", f"{tea.path}/contents/vendor").json] == ["submodule"]
    raw = reader("GET", f"{tea.path}/contents/old.txt", Accept="application/vnd.github.raw+json")
    assert raw.json == "one\ntwo\n"
    for missing in ("/contents/none", "/contents/brew.py?ref=none", f"/git/blobs/{'0' * 40}"):
        assert reader("GET", tea.path + missing).status == 404
    assert reader("GET", f"{tea.path}/commits/none").status == 422


def test_many_files_in_one_graphql_call(tea: Tea) -> None:
    tea.repo.commit({"image.png": b"\x89PNG\0", "big.txt": "x" * 600_000}, "More")
    blob = "... on Blob{text isBinary isTruncated byteSize oid}"
    fields = " ".join(
        f'a{number}:object(expression:"main:{path}"){{{blob}}}'
        for number, path in enumerate(("brew.py", "image.png", "big.txt", "none.py", ""))
    )
    query = "query($owner:String!,$name:String!){repository(owner:$owner,name:$name){" + fields + "}}"
    asked = {"query": query, "variables": {"owner": "octo", "name": "tea"}}
    found = tea.call("POST", "/graphql", asked).json["data"]["repository"]
    assert found["a0"]["text"] == text()
    assert (found["a1"]["text"], found["a1"]["isBinary"]) == (None, True)
    assert (found["a2"]["isTruncated"], found["a2"]["byteSize"]) == (True, 600_000)
    assert (found["a3"], found["a4"]) == (None, {})
    refused = with_token(tea.gh, issues="write")("POST", "/graphql", asked).json
    assert {error["type"] for error in refused["errors"]} == {"FORBIDDEN"}


def test_a_repository_is_a_plain_bare_one(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path / "a b.git")
    sha = repo.write(
        "refs/heads/main", {"a": "1\n"}, parent=None, message="One\n\nmore", author="mona", at=1e9
    )
    subprocess.run(["git", "clone", "-q", str(repo.path), str(tmp_path / "clone")], check=True)
    assert (tmp_path / "clone" / "a").read_text() == "1\n"
    assert repo.commit(sha).message == "One\n\nmore"
    assert GitRepo(repo.path).resolve("main") == sha
