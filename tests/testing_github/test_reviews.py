"""Reviews are all or nothing, and every line is held against the real diff."""

import pytest

from tests.testing_github.conftest import Tea, text


def review(tea: Tea, *comments: dict[str, object], **more: object) -> tuple[int, object]:
    asked = {"event": "COMMENT", "body": "Looked.", "comments": list(comments), **more}
    reply = tea.call("POST", f"{tea.path}/pulls/1/reviews", asked)
    return reply.status, reply.json.get("errors")


def at(line: int, **more: object) -> dict[str, object]:
    return {"path": "brew.py", "line": line, "body": "hm", **more}


@pytest.mark.parametrize(
    "comment",
    [
        at(10),
        at(7),
        at(13),
        at(10, side="LEFT"),
        at(12, start_line=8),
        at(40),
        at(10, start_line=10, start_side="LEFT"),
    ],
)
def test_lines_of_the_diff_are_taken(tea: Tea, comment: dict[str, object]) -> None:
    assert review(tea, comment) == (200, None)
    (kept,) = tea.pull.review_comments
    assert (kept.line, kept.author.login, kept.via) == (comment["line"], "hob[bot]", tea.gh.app)


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        (at(6), "Line could not be resolved"),
        (at(14), "Line could not be resolved"),
        (at(25), "Line could not be resolved"),
        (at(0), "Line could not be resolved"),
        (at(10) | {"path": "old.txt"}, "Path could not be resolved"),
        (at(10) | {"path": "Brew.py"}, "Path could not be resolved"),
        (at(10, start_line=10), "Pull request review thread start line must precede the end line."),
        (at(10, start_line=12), "Pull request review thread start line must precede the end line."),
        (
            at(40, start_line=10),
            "Pull request review thread start line must be part of the same hunk as the line.",
        ),
        (at(10, start_line=2), "Start line could not be resolved"),
    ],
)
def test_R4_one_bad_line_refuses_the_whole_review_unnamed(
    tea: Tea, comment: dict[str, object], message: str
) -> None:
    assert review(tea, at(10), comment, at(40)) == (422, [message])
    assert tea.pull.reviews == []
    assert tea.pull.review_comments == []


def test_a_review_belongs_to_a_commit_of_the_pull_request(tea: Tea) -> None:
    status, errors = review(tea, at(10), commit_id=tea.pull.base_sha)
    assert (status, errors) == (422, ["The commit_id is not part of the pull request"])


def test_a_review_of_an_older_head_is_held_against_that_head(tea: Tea) -> None:
    older = tea.pull.head_sha
    tea.pull.push({"brew.py": "new first line\n" + text(l10="hot", l40="very hot")})
    assert review(tea, at(10), commit_id=older) == (200, None)
    (kept,) = tea.pull.review_comments
    assert (kept.line, kept.location.line) == (11, 10)


def test_a_review_without_words_is_refused(tea: Tea) -> None:
    assert review(tea, body="")[0] == 422
    assert review(tea, at(10), body="", event="REQUEST_CHANGES")[0] == 422
    assert review(tea, at(10), body="") == (200, None)


def test_one_pending_review_a_user(tea: Tea) -> None:
    reply = tea.call("POST", f"{tea.path}/pulls/1/reviews", {"body": "thinking"})
    assert reply.json["state"] == "PENDING"
    assert "submitted_at" not in reply.json
    assert review(tea)[1] == ["User can only have one pending review per pull request"]


def test_bodies_have_a_length(tea: Tea) -> None:
    assert review(tea, at(10, body="x" * 65_537))[0] == 422
    assert tea.call("POST", f"{tea.path}/issues/1/comments", {"body": "é" * 65_537}).status == 422
    assert tea.call("POST", f"{tea.path}/issues/1/comments", {"body": "é" * 65_536}).status == 201


def test_a_comment_follows_its_line_or_is_outdated(tea: Tea) -> None:
    review(tea, at(10), at(40))
    tea.pull.push({"brew.py": "one more\n" + text(l10="hot", l40="lukewarm")})
    assert [comment.line for comment in tea.pull.review_comments] == [11, None]


def test_a_suggestion_replaces_its_lines(tea: Tea) -> None:
    review(tea, at(11, start_line=10, body="Better:\n```suggestion\nwarm\n```"))
    tea.pull.apply_suggestion(tea.pull.review_comments[0])
    lines = tea.pull.text("brew.py").split("\n")
    assert lines[8:11] == ["line 9", "warm", "line 12"]
    assert tea.pull.commits[-1].message == "Apply suggestion from code review"


def test_a_suggestion_may_hold_fences_delete_lines_and_keep_crlf(tea: Tea) -> None:
    pull = tea.repo.open_pull_request("Docs", {"a.md": "one\r\ntwo\r\nthree\r\n"}, author="mona")
    fenced = pull.review_comment("lisa", "a.md", 2, "````suggestion\n```py\nx\n```\n````")
    pull.apply_suggestion(fenced)
    assert pull.text("a.md") == "one\r\n```py\r\nx\r\n```\r\nthree\r\n"
    pull.apply_suggestion(pull.review_comment("lisa", "a.md", 1, "```suggestion\n```"))
    assert pull.text("a.md").startswith("```py\r\n")
    blank = pull.review_comment("lisa", "a.md", 1, "```suggestion\n\n```")
    pull.apply_suggestion(blank)
    assert pull.text("a.md").startswith("\r\nx\r\n")
    with pytest.raises(ValueError, match="outdated"):
        pull.apply_suggestion(blank)


def test_replies_stay_in_their_thread(tea: Tea) -> None:
    first = tea.pull.review_comment("lisa", "brew.py", 10, "Why so hot?")
    reply = tea.call("POST", f"{tea.path}/pulls/1/comments/{first.id}/replies", {"body": "Taste."})
    assert (reply.status, reply.json["in_reply_to_id"], reply.json["line"]) == (201, first.id, 10)
    again = tea.call("POST", f"{tea.path}/pulls/1/comments/{reply.json['id']}/replies", {"body": "Still."})
    assert again.json["in_reply_to_id"] == first.id
