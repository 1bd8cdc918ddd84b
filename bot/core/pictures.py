"""Pictures that people attach to an issue: where they may lie, and whether what came is one that may be shown
to a model. Only the first bytes are looked at; nothing is decoded."""

import re
from dataclasses import dataclass, field

MOST_PICTURES = 2
MOST_BYTES = 4 * 1024 * 1024
MOST_PIXELS, MOST_SIDE = 25_000_000, 10_000
"""More is no screenshot: whoever decodes it may need gigabytes."""
LONGEST_TEXT = 70_000
_ID = r"[0-9A-Za-z._-]{1,200}"
_ATTACHED = (
    rf"/(?:user-attachments/assets/{_ID}|[\w.-]{{1,100}}/[\w.-]{{1,100}}/assets/\d{{1,20}}/{_ID}"
    rf"|storage/user/{_ID}/files/{_ID})"
)
_IMAGES = r"(?:private-)?user-images\.githubusercontent\.com"
_AT_GITHUB = re.compile(
    rf"https://(?:github\.com{_ATTACHED}|{_IMAGES}/[\w./%-]{{1,300}}(?:\?[\w=&.%-]{{0,3000}})?)"
)
_STORED = re.compile(
    rf"https://(?:{_IMAGES}|objects\.githubusercontent\.com"
    r"|github-production-user-asset-6210df\.s3\.amazonaws\.com)/.{1,4000}"
)
"""Where GitHub itself leads to: the bucket of this name is its own."""
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[\w.-]{1,253})(?::(?P<port>\d{1,5}))?(?=/|$)")
_IMAGE = re.compile(r'<img [^<>]{0,2000}?src="(https?://[^"<>\s]{1,4000})"')
_LOOPBACK = {"localhost", "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Picture:
    """`media` is its MIME type, by its own first bytes."""

    media: str
    data: bytes = field(repr=False)
    width: int = 0
    height: int = 0


def addresses(text: str, site: str) -> tuple[str, ...]:
    """The attachments that a text shows, at GitHub or at a GitHub of one's own; no other address."""
    text = text[:LONGEST_TEXT]
    found = [hit[0] for hit in _AT_GITHUB.finditer(text)]
    if site != "https://github.com":
        found += [hit[0] for hit in re.finditer(re.escape(site) + _ATTACHED, text)]
    return tuple(dict.fromkeys(found))[:MOST_PICTURES]


def may_lead_to(address: str, site: str) -> bool:
    """Whether an attachment may be fetched there, once GitHub has said so: at its own stores; of a GitHub of
    one's own, at that host and those below it."""
    if _AT_GITHUB.fullmatch(address) or _STORED.fullmatch(address):
        return True
    ours, there = _ORIGIN.fullmatch(site), _ORIGIN.match(address)
    if site == "https://github.com" or not ours or not there:
        return False
    host, name = ours["host"].casefold(), there["host"].casefold()
    same = name == host or name.endswith(f".{host}") or {name, host} <= _LOOPBACK
    return same and (ours["scheme"], ours["port"]) == (there["scheme"], there["port"])


def shown_in(html: str, site: str) -> tuple[str, ...]:
    """The attachments of a text as GitHub renders it, which leads to what only members see for some
    minutes."""
    found = (hit[1].replace("&amp;", "&") for hit in _IMAGE.finditer(html[: 4 * LONGEST_TEXT]))
    return tuple(dict.fromkeys(one for one in found if may_lead_to(one, site)))[:MOST_PICTURES]


def picture(data: bytes) -> Picture | None:
    """None for what is none of PNG, JPEG, GIF and WebP, or is too large in bytes or in pixels."""
    if len(data) > MOST_BYTES:
        return None
    media, width, height = _measured(data)
    if not media or not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE) or width * height > MOST_PIXELS:
        return None
    return Picture(media, data, width, height)


def _measured(data: bytes) -> tuple[str, int, int]:
    """(type, width, height); an empty type for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
        return "image/png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif", int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", *_webp(data)
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg", *_jpeg(data)
    return "", 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    match data[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
        case b"VP8L" if data[20:21] == b"\x2f":
            bits = int.from_bytes(data[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            wide, high = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
            return wide & 0x3FFF, high & 0x3FFF
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """Of its first frame: marker by marker, each past the one before."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    return 0, 0
