"""What goes wrong on demand, and what was done all the same."""

import http.client
import threading
import time

import pytest

from tests.testing_github.conftest import Tea

COMMENTS = "/issues/1/comments"


def say(tea: Tea, words: str = "hello") -> int:
    return tea.call("POST", tea.path + COMMENTS, {"body": words}).status


def test_an_answer_without_the_deed(tea: Tea) -> None:
    fault = tea.gh.fault("POST", r"/comments$", kind="answer", status=503, times=2)
    assert (say(tea), say(tea), say(tea)) == (503, 503, 201)
    assert len(tea.pull.comments) == 1
    assert fault.used_up


def test_R3_the_deed_and_then_an_error(tea: Tea) -> None:
    tea.gh.fault("POST", r"/comments$", kind="apply_then_answer", status=500)
    assert say(tea) == 500
    assert [comment.body for comment in tea.pull.comments] == ["hello"]
    assert tea.gh.requests[-1].fault == "apply_then_answer"


@pytest.mark.parametrize(("kind", "done"), [("apply_then_reset", 1), ("reset", 0)])
def test_R3_a_broken_connection_with_and_without_the_deed(tea: Tea, kind: str, done: int) -> None:
    tea.gh.fault("POST", r"/comments$", kind=kind)  # type: ignore[arg-type]
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        say(tea)
    assert len(tea.pull.comments) == done
    assert tea.gh.requests[-1].status == 0
    assert say(tea) == 201


@pytest.mark.parametrize(("kind", "done"), [("apply_then_hang", 1), ("hang", 0)])
def test_silence_ends_when_its_time_is_over(tea: Tea, kind: str, done: int) -> None:
    tea.gh.fault("POST", r"/comments$", kind=kind, seconds=0.2)  # type: ignore[arg-type]
    started = time.monotonic()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        say(tea)
    assert time.monotonic() - started >= 0.2
    assert len(tea.pull.comments) == done


def test_silence_holds_up_nobody_else_and_ends_with_the_stand_in(tea: Tea) -> None:
    tea.gh.fault("POST", r"/comments$", kind="hang", seconds=3600)
    failed: list[Exception] = []

    def hang() -> None:
        try:
            say(tea)
        except (ConnectionError, http.client.HTTPException) as error:
            failed.append(error)

    waiting = threading.Thread(target=hang)
    waiting.start()
    tea.gh.wait_until(lambda: tea.gh.requests[-1].fault == "hang")
    assert tea.call("GET", tea.path).status == 200
    tea.gh.release_hanging()
    waiting.join(10)
    assert failed


def test_R8_limits_with_and_without_a_time(tea: Tea) -> None:
    for kind in ("retry_after", "rate_limited", "secondary", "too_many"):
        tea.gh.fault("GET", r"/pulls/1$", kind=kind, seconds=7)
    replies = [tea.call("GET", f"{tea.path}/pulls/1") for _ in range(4)]
    assert [reply.status for reply in replies] == [403, 403, 403, 429]
    assert [reply.headers.get("retry-after") for reply in replies] == ["7", None, None, "7"]
    assert replies[1].headers["x-ratelimit-remaining"] == "0"
    assert 0 < int(replies[1].headers["x-ratelimit-reset"]) - time.time() <= 8
    assert replies[2].headers["x-ratelimit-remaining"] != "0"
    assert "secondary" in replies[2].json["message"]


def test_the_primary_limit_counts_down(tea: Tea) -> None:
    first = tea.call("GET", tea.path).headers["x-ratelimit-remaining"]
    assert int(first) - int(tea.call("GET", tea.path).headers["x-ratelimit-remaining"]) == 1
    tea.gh.limits.per_hour = 0
    reply = tea.call("GET", tea.path)
    assert (reply.status, reply.headers["x-ratelimit-remaining"]) == (403, "0")


def test_the_secondary_limits_hold_once_they_are_switched_on(tea: Tea) -> None:
    tea.gh.limits.secondary = True
    path = f"{tea.path}{COMMENTS}"
    said = [tea.call("POST", path, {"body": f"{number}"}).status for number in range(81)]
    assert said == [201] * 80 + [403]
    reads = [tea.call("GET", path).status for _ in range(502)]
    assert (reads.count(403), len(tea.pull.comments)) == (2, 80)
    tea.gh.limits.pace = 0.0001
    assert tea.call("POST", path, {"body": "later"}).status == 201


def test_redirects_here_and_to_others(tea: Tea) -> None:
    tea.gh.fault("GET", r"/repos/octo/tea$", kind="redirect", location=f"/repositories/{tea.repo.id}")
    reply = tea.call("GET", tea.path)
    assert (reply.status, reply.headers["location"]) == (301, f"{tea.gh.api_url}/repositories/{tea.repo.id}")
    tea.gh.fault("POST", COMMENTS, kind="redirect", status=307, location="http://evil.example/x")
    reply = tea.call("POST", tea.path + COMMENTS, {"body": "hello"})
    assert (reply.status, reply.headers["location"]) == (307, "http://evil.example/x")
    assert tea.pull.comments == []


def test_what_is_known_is_not_sent_again(tea: Tea) -> None:
    first = tea.call("GET", f"{tea.path}/pulls/1")
    again = tea.call("GET", f"{tea.path}/pulls/1", If_None_Match=first.headers["etag"])
    assert (again.status, again.json) == (304, None)
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    tea.pull.push({"brew.py": "cold\n"})
    assert tea.call("GET", f"{tea.path}/pulls/1", If_None_Match=first.headers["etag"]).status == 200


def test_everything_said_is_kept_but_the_credential(tea: Tea) -> None:
    tea.call("POST", tea.path + COMMENTS, {"body": "the words"}, User_Agent="hob delivery-guid")
    (write,) = tea.gh.writes()
    assert (write.method, write.status, write.json) == ("POST", 201, {"body": "the words"})
    said = tea.gh.texts()[-1]
    assert "the words" in said
    assert "delivery-guid" in said
    assert tea.call.credential not in "".join(tea.gh.texts())
    assert len(tea.gh.mints()) == 1
    assert len(tea.gh.calls()) == 1
