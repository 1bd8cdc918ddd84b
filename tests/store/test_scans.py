"""What was read at night, on both databases."""

from bot.core.findings import Finding
from bot.core.scan import ScannedFile
from bot.store import Store

FOUND = Finding(
    "a.py",
    "major",
    "bug",
    "T \ud800\0 🫖",
    "B",
    quote="q",
    line=3,
    also=(Finding("a.py", "nit", "x", "t", "b"),),
)


def test_a_file_reads_back_and_takes_the_place_of_what_was_known(store: Store) -> None:
    store.scans.keep(7, ScannedFile("a.py", "1" * 40, "2026-03-04", 2, (FOUND,)))
    store.scans.keep(8, ScannedFile("a.py", "9" * 40, "2026-03-04", 1))
    (one,) = store.scans.known(7).values()
    assert (one.path, one.blob, one.night, one.calls) == ("a.py", "1" * 40, "2026-03-04", 2)
    assert (one.findings[0].line, one.findings[0].quote, one.findings[0].also) == (3, "q", FOUND.also)
    store.scans.keep(7, ScannedFile("a.py", "2" * 40, "2026-03-05", 3))
    assert store.scans.known(7) == {"a.py": ScannedFile("a.py", "2" * 40, "2026-03-05", 3)}
    store.scans.drop(7, ["a.py", "b.py"])
    assert store.scans.known(7) == {}
    assert len(store.scans.known(8)) == 1


def test_an_odd_path_is_a_path(store: Store) -> None:
    odd = "a\nb'\"%🫖.py"
    store.scans.keep(7, ScannedFile(odd, "1" * 40, "", 0))
    assert list(store.scans.known(7)) == [odd]
