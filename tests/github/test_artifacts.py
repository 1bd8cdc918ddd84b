"""Coverage reports from the archives that CI published; the archives are a stranger's."""

import io
import stat
import tarfile
import tracemalloc
import zipfile

import pytest

from bot.github import artifacts
from bot.github.artifacts import MOST_REPORT, unpacked


def archive(files: dict[str, bytes], level: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", level) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return packed.getvalue()


def test_reports_are_read_by_their_names() -> None:
    files = dict.fromkeys(
        ["coverage.xml", "a/lcov.info", "b/cobertura-coverage.xml", "c/app.py", "d.xml"], b"x"
    )
    assert set(unpacked(archive(files))) == {"coverage.xml", "a/lcov.info", "b/cobertura-coverage.xml"}


def test_S9_a_bomb_and_a_traversal_do_nothing() -> None:
    raw = archive(
        {"../../etc/coverage.xml": b"tea", "coverage.xml": b"\0" * (MOST_REPORT + 1), "lcov.info": b"SF"}
    )
    assert len(raw) < 100_000
    assert unpacked(raw) == {
        "../../etc/coverage.xml": "tea",
        "lcov.info": "SF",
    }  # names only: nothing is written


def test_S9_a_size_that_is_a_lie_is_found_out() -> None:
    raw = archive({"coverage.xml": b"\0" * 5_000_000})
    lied = raw.replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lied != raw
    assert sum(map(len, unpacked(lied).values())) <= 10


@pytest.mark.parametrize("way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_S9_what_grows_without_end_is_cut_however_it_is_packed(way: int) -> None:
    """Said to be ten bytes; unpacked at once it would be 120 MB, and terabytes as easily."""
    size = 120_000_000
    raw = archive({"coverage.xml": b"\0" * size}, way)
    lied = raw.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lied != raw
    tracemalloc.start()
    try:
        assert sum(map(len, unpacked(lied).values())) <= 10
        assert tracemalloc.get_traced_memory()[1] < 2.5 * MOST_REPORT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_S9_a_tarball_in_an_archives_place_holds_nothing(kind: bytes) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name in ("coverage.xml", "../../coverage.xml", "/etc/coverage.xml"):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member, io.BytesIO())
    assert unpacked(made.getvalue()) == {}


def test_S9_a_link_in_an_archive_is_the_text_that_it_is() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        link = zipfile.ZipInfo("coverage.xml")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
    assert unpacked(packed.getvalue()) == {"coverage.xml": "/etc/passwd"}


@pytest.mark.parametrize(
    "way", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_whatever_byte_of_an_archive_is_another_it_is_read_or_not(way: int) -> None:
    raw = archive({"coverage.xml": b"tea" * 9, "lcov.info": b"SF:a"}, way)
    for at in range(len(raw)):
        for other in (0, 1, 0x7F, 0xFF):
            assert len(unpacked(raw[:at] + bytes([other]) + raw[at + 1 :])) <= 2


@pytest.mark.parametrize(
    "raw",
    [b"", b"PK", b"no archive", archive({"lcov.info": b"tea" * 99})[:-40]],
    ids=["empty", "short", "no archive", "cut"],  # an archive holds the time
)
def test_what_is_no_archive_holds_nothing(raw: bytes) -> None:
    assert unpacked(raw) == {}


def test_only_artifacts_of_the_head_that_are_named_for_it_and_small_are_fetched() -> None:
    good = {
        "id": 1,
        "name": "Coverage",
        "size_in_bytes": 9,
        "workflow_run": {"head_sha": "a"},
        "expired": False,
    }
    wrong = [
        good | {"name": "wheels"},
        good | {"size_in_bytes": 10**9},
        good | {"expired": True},
        good | {"workflow_run": None},
        good | {"workflow_run": {"head_sha": "b"}},
        good | {"id": "1"},
        "x",
    ]
    assert artifacts._wanted({"artifacts": [*wrong, good, *[good] * 9]}, "a") == [good] * 3  # type: ignore[arg-type]
    assert artifacts._wanted([], "a") == []  # type: ignore[arg-type]
