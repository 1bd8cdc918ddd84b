"""Pictures in issues: the website leads on to a signed address on another host."""

import http.client
from urllib.parse import urlsplit

from tests.testing_github.conftest import Tea

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read(1_000_000)
    finally:
        connection.close()


def test_an_attachment_is_a_redirect_to_a_signed_address_on_another_host(tea: Tea) -> None:
    url = tea.gh.attach(PNG)
    status, told, _ = get(url)
    assert status == 302
    assert urlsplit(told["location"]).hostname != urlsplit(url).hostname
    status, kind, data = get(told["location"])
    assert (status, kind["content-type"], data) == (200, "image/png", PNG)
    assert get(told["location"].partition("?")[0])[0] == 403
    assert get(told["location"], Authorization="Bearer x")[0] == 400, "a token is not for that host"
    tea.gh.clock_offset = 400
    assert get(told["location"])[0] == 403
    assert [one.status for one in tea.gh.downloads] == [302, 200, 403, 400, 403]
    assert get(url[:-1] + "x")[0] == 404


def test_a_private_repositorys_attachment_is_for_its_readers(tea: Tea) -> None:
    url = tea.gh.attach(PNG, repo=tea.repo)
    assert get(url)[0] == 404
    assert get(url, Authorization=f"Bearer {tea.call.credential}")[0] == 302


def test_the_html_of_a_text_has_signed_addresses(tea: Tea) -> None:
    url = tea.gh.attach(PNG, repo=tea.repo)
    issue = tea.repo.open_issue("Broken", f"See <this>:\n\n![shot]({url})", author="ann")
    path = f"{tea.path}/issues/{issue.number}"
    assert "body_html" not in tea.call("GET", path).json
    shown = tea.call("GET", path, Accept="application/vnd.github.full+json").json["body_html"]
    signed = shown.partition('src="')[2].partition('"')[0]
    assert get(signed)[2] == PNG
    assert "&lt;this&gt;" in shown


def test_wrong_attachments(tea: Tea) -> None:
    elsewhere = tea.gh.attach(PNG, location="http://evil.example/x.png")
    assert get(elsewhere)[1]["location"] == "http://evil.example/x.png"
    endless = get(get(tea.gh.attach(PNG, endless=True))[1]["location"])
    assert ("content-length" in endless[1], len(endless[2])) == (False, 1_000_000)
    page = get(get(tea.gh.attach(b"<script>", "text/html", seconds=0.1))[1]["location"])
    assert (page[1]["content-type"], page[2]) == ("text/html", b"<script>")
