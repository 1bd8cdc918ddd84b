"""Reports of tests: names of what passed and what did not, whoever wrote the file."""

import pytest

from bot.core import junit
from bot.core.hostile_xml import BadReport
from bot.core.junit import read
from tests.spent import Spent

HEAD = b'<?xml version="1.0" encoding="utf-8"?>'


def report(*cases: str) -> bytes:
    return HEAD + f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode()


def test_passed_failed_and_skipped_are_told_apart() -> None:
    names = read(
        report(
            '<testcase classname="tests.tea.Tea" name="brews"/>',
            '<testcase classname="tests.tea.Tea" name="guards"><failure message="x">no</failure></testcase>',
            '<testcase classname="tests.tea.Tea" name="boils"><error/></testcase>',
            '<testcase classname="tests.tea.Tea" name="waits"><skipped/></testcase>',
            '<testcase name="alone"><system-out>x</system-out><properties/></testcase>',
            '<testcase file="tea.test.js" name="pours"/>',
        )
    )
    assert names.passed == {"tests.tea.Tea::brews", "alone", "tea.test.js::pours"}
    assert names.failed == {"tests.tea.Tea::guards", "tests.tea.Tea::boils"}


@pytest.mark.parametrize(
    ("case", "passed"),
    [
        ('<testcase name="a"><Failure/></testcase>', False),
        ('<testcase name="a" xmlns:x="u"><x:failure/></testcase>', False),
        ('<testcase name="a" status="failed"/>', False),
        ('<testcase name="a" status="run" result="Failure"/>', False),
        ('<testcase name="a" status="notrun"/>', None),
        ('<testcase name="a" status="run" result="suppressed"/>', None),
        ('<testcase name="a"><disabled/></testcase>', None),
        ('<testcase name="a" status="run" result="completed"/>', True),
        ('<testcase name="a" status="passed"><system-err>failure</system-err></testcase>', True),
        ('<testcase name="a"><flakyFailure/><!--<failure/>--></testcase>', True),
        ('<testcase name="a"><system-out><![CDATA[<error/>]]></system-out></testcase>', True),
    ],
)
def test_no_failed_or_skipped_test_is_told_as_passed_however_it_is_written(
    case: str, passed: bool | None
) -> None:
    names = read(report(case))
    assert names.passed == ({"a"} if passed else set())
    assert names.failed == ({"a"} if passed is False else set())


def test_a_test_that_is_told_twice_passed_only_if_it_did_each_time() -> None:
    names = read(
        report('<testcase name="a"><failure/></testcase>', '<testcase name="a"/>', '<testcase name="b"/>')
    )
    assert (names.passed, names.failed) == ({"b"}, {"a"})
    skipped = read(report('<testcase name="a"><skipped/><failure/></testcase>'))
    assert skipped.failed == {"a"}


def test_a_test_in_a_test_and_a_failure_elsewhere_change_nothing() -> None:
    names = read(
        report(
            '<testcase name="a"><x><failure/></x><testcase name="b"><failure/></testcase></testcase>',
            "<failure/>",
        )
    )
    assert (names.passed, names.failed) == ({"a"}, set())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_encodings_that_xml_knows_are_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><testsuite><testcase name="Köln"/></testsuite>'
    assert read(text.encode(encoding)).passed == {"Köln"}


def test_names_are_short_and_hold_nothing_that_is_not_seen() -> None:
    names = read(report('<testcase name="a&#10;b\u202e\u200b&#9;c"/>', f'<testcase name="{"x" * 9000}"/>'))
    assert {len(name) for name in names.passed} == {5, 400}
    assert "a b c" in {name.replace("\t", " ") for name in names.passed}


LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no XML"),
        (b"not xml", "no XML"),
        (b"<testsuites><testcase", "no XML"),
        (b"\x00\xff\xfe", "no XML"),
        (b"<html/>", "another element"),
        (b'<?xml version="1.0" encoding="klingon"?><testsuite/>', "no XML"),
        (b'<?xml version="1.0" encoding="big5"?><testsuite/>', "no"),
        (LAUGHS + b"<testsuite>&j;</testsuite>", "DTD"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>', "DTD"),
        (b"x" * ((64 << 20) + 1), "64 MB"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadReport, match=why):
        read(data)


def test_a_doctype_that_is_only_named_is_never_fetched() -> None:
    assert read(b'<!DOCTYPE testsuite SYSTEM "http://127.0.0.1:9/x.dtd"><testsuite/>').passed == set()


def test_more_names_and_elements_than_anybody_has_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MOST_TESTS", 1_000)
    monkeypatch.setattr(junit, "MOST_ELEMENTS", 5_000)
    cases = "".join(f'<testcase name="{number}"/>' for number in range(1_001))
    with pytest.raises(BadReport, match="names more than 1,000 tests"):
        read(report(cases))
    with pytest.raises(BadReport, match="more than 5,000 elements"):
        read(b"<testsuite>" * 5_001)


def test_reading_takes_time_by_the_length_of_the_report() -> None:
    def seconds(count: int) -> float:
        data = report(
            *[f'<testcase name="{"n" * 300}{number}"><failure/></testcase>' for number in range(count)]
        )
        with Spent() as spent:
            read(data)
        return spent.seconds

    seconds(100)
    assert seconds(20_000) < 12 * max(seconds(5_000), 0.005)
