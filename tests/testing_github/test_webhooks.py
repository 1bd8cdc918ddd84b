"""Deliveries: signed, posted, remembered, sent again; payloads with the keys of the published examples."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.testing.github.github import WEBHOOK_SECRET
from tests.samples.webhooks import example_payloads
from tests.testing_github.caller import with_jwt
from tests.testing_github.conftest import Tea

Got = tuple[dict[str, str], bytes]


class Receiver(ThreadingHTTPServer):
    """Takes deliveries and answers `answer`."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer = 202
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/webhook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(receiver.answer)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Silence."""


@pytest.fixture
def receiver(tea: Tea) -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        tea.gh.send_webhooks_to(server.url)
        yield server
        server.shutdown()
        thread.join()


def test_W3_a_delivery_is_signed_over_its_exact_bytes(tea: Tea, receiver: Receiver) -> None:
    tea.repo.open_issue("Té, cold", "It is \u2603", author="lisa")
    tea.gh.flush()
    ((headers, body),) = receiver.got
    assert (
        headers["x-hub-signature-256"]
        == "sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    )
    assert headers["x-hub-signature"].startswith("sha1=")
    assert (headers["x-github-event"], headers["content-type"]) == ("issues", "application/json")
    assert headers["x-github-hook-installation-target-id"] == "4242"
    assert headers["user-agent"].startswith("GitHub-Hookshot/")
    assert "Té, cold" in body.decode()
    assert (tea.gh.deliveries[-1].status, tea.gh.deliveries[-1].answer) == ("OK", "ok")


def test_events_leave_in_order_or_held_back_and_turned_round(tea: Tea, receiver: Receiver) -> None:
    tea.gh.hold_deliveries()
    issue = tea.repo.open_issue("One", author="lisa")
    issue.comment("lisa", "more")
    issue.close("lisa")
    assert receiver.got == []
    tea.gh.release_deliveries(newest_first=True)
    tea.gh.flush()
    assert [headers["x-github-event"] for headers, _ in receiver.got] == ["issues", "issue_comment", "issues"]


def test_R11_failed_deliveries_are_listed_and_sent_again_with_their_guid(
    tea: Tea, receiver: Receiver
) -> None:
    receiver.answer = 503
    tea.repo.open_issue("One", author="lisa")
    tea.gh.flush()
    as_app = with_jwt(tea.gh)
    (failed,) = as_app("GET", "/app/hook/deliveries?status=failure&per_page=1").json
    assert (failed["status_code"], failed["status"]) == (503, "Invalid HTTP Response: 503")
    detail = as_app("GET", f"/app/hook/deliveries/{failed['id']}").json
    assert detail["request"]["payload"]["issue"]["title"] == "One"
    assert detail["request"]["headers"]["X-GitHub-Delivery"] == failed["guid"]
    receiver.answer = 202
    assert as_app("POST", f"/app/hook/deliveries/{failed['id']}/attempts").status == 202
    tea.gh.flush()
    assert [headers["x-github-delivery"] for headers, _ in receiver.got] == [failed["guid"]] * 2
    newest = as_app("GET", "/app/hook/deliveries?per_page=1").json[0]
    assert (newest["guid"], newest["redelivery"], newest["status_code"]) == (failed["guid"], True, 202)


def test_deliveries_are_paged_by_cursor_and_forgotten_after_three_days(tea: Tea) -> None:
    for number in range(4):
        tea.repo.open_issue(f"{number}", author="lisa")
    as_app, seen, path = with_jwt(tea.gh), [], "/app/hook/deliveries?per_page=2"
    while path:
        reply = as_app("GET", path)
        seen += [one["id"] for one in reply.json]
        link = reply.headers.get("link", "")
        path = link.partition(">")[0].removeprefix(f"<{tea.gh.api_url}")
    assert seen == [one.id for one in reversed(tea.gh.deliveries)]
    tea.gh.clock_offset = 3 * 24 * 3600 + 60
    later = with_jwt(tea.gh, issued=tea.gh.clock_offset - 60, expires=tea.gh.clock_offset + 60)
    assert later("GET", "/app/hook/deliveries").json == []


def test_nobody_there_is_a_failed_delivery(tea: Tea) -> None:
    tea.gh.send_webhooks_to("http://127.0.0.1:9/webhook")
    tea.repo.open_issue("One", author="lisa")
    tea.gh.flush()
    assert (tea.gh.deliveries[-1].status_code, tea.gh.deliveries[-1].status) == (
        502,
        "failed to connect to host",
    )


def test_a_guid_and_bytes_of_ones_own(tea: Tea, receiver: Receiver) -> None:
    delivery = tea.gh.deliver("issues", b"{not json", guid="00000000-1111-2222-3333-444444444444").wait()
    headers, body = receiver.got[0]
    assert (headers["x-github-delivery"], body) == (delivery.guid, b"{not json")
    assert with_jwt(tea.gh)("GET", f"/app/hook/deliveries/{delivery.id}").json["request"]["payload"] is None


def test_A4_the_apps_own_writes_fire_events_unless_switched_off(tea: Tea) -> None:
    tea.call("POST", f"{tea.path}/issues/1/comments", {"body": "mine"})
    told = tea.gh.deliveries[-1].payload
    assert (told["sender"]["type"], told["sender"]["login"]) == ("Bot", "hob[bot]")
    assert told["comment"]["performed_via_github_app"]["id"] == 4242
    line = {"path": "brew.py", "line": 10, "body": "hm"}
    tea.call("POST", f"{tea.path}/pulls/1/reviews", {"event": "COMMENT", "comments": [line]})
    assert [one.event for one in tea.gh.deliveries[-2:]] == [
        "pull_request_review",
        "pull_request_review_comment",
    ]
    tea.gh.echo = False
    before = len(tea.gh.deliveries)
    tea.call("POST", f"{tea.path}/issues/1/comments", {"body": "mine"})
    assert len(tea.gh.deliveries) == before


def test_A3_a_foreign_app_is_a_bot_with_an_id_of_its_own(tea: Tea) -> None:
    tea.pull.comment("dependabot[bot]", "bump")
    told = tea.gh.deliveries[-1].payload
    assert (told["sender"]["type"], told["comment"]["performed_via_github_app"]["slug"]) == (
        "Bot",
        "dependabot",
    )
    assert told["comment"]["performed_via_github_app"]["id"] != 4242


def test_only_subscribed_events_of_installed_repositories_are_sent(tea: Tea) -> None:
    assert tea.gh.app is not None
    tea.gh.app.events.remove("check_run")
    before = len(tea.gh.deliveries)
    tea.gh.repository("elsewhere/public").open_issue("One")
    tea.call("POST", f"{tea.path}/check-runs", {"name": "Hob", "head_sha": tea.pull.head_sha})
    assert len(tea.gh.deliveries) == before


def test_an_edit_tells_the_old_words(tea: Tea) -> None:
    tea.pull.comment("lisa", "before").edit("lisa", "after")
    told = tea.gh.deliveries[-1].payload
    assert (told["action"], told["comment"]["body"], told["changes"]) == (
        "edited",
        "after",
        {"body": {"from": "before"}},
    )


def test_labels_made_on_the_way_show(tea: Tea) -> None:
    tea.call("POST", f"{tea.path}/issues/1/labels", {"labels": ["invented", "Bug"]})
    assert tea.pull.label_names == ["invented", "bug"]
    assert tea.repo.find_label("invented") is not None


def _keys(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return {path}.union(*(_keys(one, f"{path}.{key}") for key, one in value.items()))


LEFT_OUT = ("assignee", "milestone", "license", "custom_properties", "reactions", "merged_by", "issue.draft")
"""Null here, of no use to a bot, or (an issue's `draft`) no longer sent."""


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("pull_request", "opened"),
        ("pull_request", "synchronize"),
        ("issues", "opened"),
        ("issue_comment", "created"),
        ("issue_comment", "edited"),
        ("pull_request_review_comment", "created"),
        ("pull_request_review", "submitted"),
    ],
)
def test_payloads_have_the_keys_of_the_published_examples(tea: Tea, event: str, action: str) -> None:
    tea.repo.open_issue("One", "two", author="lisa").comment("lisa", "three").edit("lisa", "four")
    tea.pull.edit("mona", body="words")
    tea.pull.push({"brew.py": "cold\n"})
    tea.pull.review_comment("lisa", "brew.py", 1, "Too cold")
    pull = tea.repo.open_pull_request("Two", {"b.py": "b\n"}, body="words", author="mona")
    assert pull.number == 3
    made = [one.payload for one in tea.gh.deliveries if (one.event, one.action) == (event, action)][-1]
    examples = [one for name, did, one in example_payloads() if (name, did) == (event, action)]
    missing = [
        {key for key in _keys(example) - _keys(made) if not any(word in key for word in LEFT_OUT)}
        for example in examples
    ]
    assert set() in missing, sorted(min(missing, key=len))
