"""Screenshots in issues: a model that sees says what they show; nothing else is fetched or believed."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.core.pictures import addresses, may_lead_to, picture
from bot.testing.github import GitHubStandIn
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_issues import triage

SITE = "https://github.com"


def png(width: int, height: int, more: bytes = b"") -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0" + more
    )


def sees(request: dict[str, Any]) -> Mapping[str, Any]:
    if "images" in request["messages"][-1]:
        return {"text": "A dialog of kettle.py says BOILED OVER"}
    said: Mapping[str, Any] = triage()(request)
    return said


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    ollama.models["seer:7b"] = FakeModel(capabilities=("completion", "vision"))
    ollama.answer = sees
    models = f"{next(iter(ollama.models))},seer:7b"
    async with living_hob(tmp_path, github, ollama, HOB_MODELS__TRIAGE=models) as living:
        yield living


@pytest.mark.parametrize("private", [False, True])
async def test_what_a_screenshot_shows_is_told_to_the_model_that_sorts(hob: LivingHob, private: bool) -> None:
    repo = hob.github.repository("octo/tea", private=private)
    shown = hob.github.attach(png(800, 600, b"pixels"), repo=repo)
    text = f"Look: ![it]({shown}) and ![this](https://evil.example/x.png)"
    issue = repo.open_issue("It boils over", text, author="ann")
    await hob.works()
    assert issue.label_names == ["bug"]
    first, second = hob.ollama.chats
    assert (first["model"], len(first["messages"][-1]["images"])) == ("seer:7b", 1)
    assert "BOILED OVER" in second["messages"][1]["content"]
    assert "images" not in second["messages"][1]
    assert all("authorization" not in one.headers for one in hob.github.downloads)


async def test_a_bomb_an_endless_one_a_redirect_and_no_picture_are_not_shown(
    hob: LivingHob,
) -> None:
    repo = hob.github.repository("octo/tea")
    elsewhere = f"{hob.ollama.url}/api/version"
    for made in (
        hob.github.attach(png(60_000, 60_000)),
        hob.github.attach(png(10, 10), endless=True),
        hob.github.attach(png(10, 10), location=elsewhere),
        hob.github.attach(b"<svg onload='x()'></svg>", "image/png"),
    ):
        issue = repo.open_issue(f"Kettle {made[-5:]}", f"![it]({made})", author="ann")
        await hob.works()
        assert issue.label_names == ["bug"]
    assert not [one for one in hob.ollama.chats if "images" in one["messages"][-1]]
    assert not [one for one in hob.ollama.requests if one.path == "/api/version"]


async def test_without_a_model_that_sees_nothing_is_fetched(hob: LivingHob) -> None:
    hob.ollama.models["seer:7b"].capabilities = ("completion",)
    repo = hob.github.repository("octo/tea")
    made = hob.github.attach(png(10, 10))
    issue = repo.open_issue("Kettle", f"![it]({made})", author="ann")
    report = repo.open_issue(
        "SQL injection", f"An attacker can do it by SQL injection ![it]({made})", author="ann"
    )
    await hob.works()
    assert issue.label_names == ["bug"]
    assert report.label_names == []
    assert hob.github.downloads == []


def test_only_attachments_of_githubs_own_hosts_are_fetched() -> None:
    uuid = "0f2c0c0e-1111-2222-3333-444455556666"
    own = f"{SITE}/user-attachments/assets/{uuid}"
    stored = "https://github-production-user-asset-6210df.s3.amazonaws.com/1/2.png?X-Amz-Signature=a"
    assert addresses(f"![a]({own}) <img src='{own}'>", SITE) == (own,)
    assert may_lead_to(stored, SITE)
    for other in (
        f"https://github.com.evil.example/user-attachments/assets/{uuid}",
        f"https://evil.example/{SITE}/user-attachments/assets/x y",
        "https://github.com/octo/tea/raw/main/x.png",
        "https://raw.githubusercontent.com/octo/tea/main/x.png",
        "https://github-production-user-asset-abcdef.s3.amazonaws.com/1/2.png",
        "http://169.254.169.254/latest/meta-data",
        f"http://github.com/user-attachments/assets/{uuid}",
        f"https://user@github.com/user-attachments/assets/{uuid}",
    ):
        assert not may_lead_to(other, SITE), other
        assert other not in addresses(f"![a]({other})", SITE)
    assert may_lead_to("https://media.ghe.example/x", "https://ghe.example")
    assert not may_lead_to("https://notghe.example/x", "https://ghe.example")
    assert not may_lead_to("http://127.0.0.1:6379/x", "http://127.0.0.1:80")


JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + (600).to_bytes(2) + (800).to_bytes(2)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(800, 600), (800, 600)),
        (b"GIF89a" + (800).to_bytes(2, "little") + (600).to_bytes(2, "little"), (800, 600)),
        (JPEG, (800, 600)),
        (
            b"RIFF....WEBPVP8X" + b"\0" * 8 + (799).to_bytes(3, "little") + (599).to_bytes(3, "little"),
            (800, 600),
        ),
        (b"RIFF....WEBPVP8 " + b"\0" * 7 + b"\x9d\x01\x2a" + b"\x20\x03\x58\x02", (800, 600)),
        (png(0, 600), None),
        (png(10_001, 1), None),
        (png(9_000, 9_000), None),
        (JPEG[:9], None),
        (b"\xff\xd8\xff" * 100_000, None),
        (b"GIF89a", None),
        (b"<svg/>", None),
        (png(10, 10, bytes(5 * 1024 * 1024)), None),
    ],
)
def test_a_picture_is_what_its_first_bytes_say(data: bytes, size: tuple[int, int] | None) -> None:
    found = picture(data)
    assert (found and (found.width, found.height)) == size
