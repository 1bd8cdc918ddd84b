"""Coverage of changed lines: Cobertura and lcov read, hostile ones refused, what no test runs named once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks import reports
from bot.core.check_input import CheckedChange
from bot.core.diff import FileDiff, parse_patch
from bot.core.hostile_xml import BadReport
from tests.checks.changes import report

COBERTURA = """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.4" lines-valid="9"><sources><source>/builds/octo/tea/src</source></sources>
<packages><package name="tea"><classes><class name="pot.py" filename="tea/pot.py"><methods/><lines>
<line number="1" hits="1"/><line number="2" hits="0"/><line number="3" hits="0"/>
<line number="4" hits="2" branch="true" condition-coverage="50% (1/2)" missing-branches="6"/>
<line number="5" hits="2" branch="true" condition-coverage="100% (2/2)"/><line number="6" hits="0"/>
</lines></class></classes></package></packages></coverage>
"""
LCOV = """TN:
SF:/builds/octo/tea/src/tea/pot.py
DA:1,1
DA:2,0
DA:3,0
DA:4,2
BRDA:4,0,0,1
BRDA:4,0,1,-
DA:5,2
BRDA:5,0,0,1
BRDA:5,0,1,3
DA:6,0
end_of_record
"""
POT = FileDiff(
    "src/tea/pot.py",
    "modified",
    parse_patch("@@ -0,0 +1,5 @@\n+one\n+two\n+three\n+four\n+five\n@@ -1 +6 @@\n six"),
)


@pytest.mark.parametrize("text", [COBERTURA, LCOV])
async def test_what_no_test_runs_is_named_once_in_one_remark(text: str) -> None:
    said = await report(CheckedChange((POT,), reports={"1/coverage": text}), "coverage")
    (finding,) = said.findings
    assert (finding.path, finding.line, finding.quote) == ("src/tea/pot.py", 2, "two")
    assert finding.title == "2 of 5 changed lines are run by no test"
    assert "No test runs `src/tea/pot.py:2-3`." in finding.body
    assert "Not every branch is taken at `src/tea/pot.py:4`." in finding.body


async def test_what_ci_named_already_is_not_named_again() -> None:
    told = {"src/tea/pot.py": frozenset({2, 9}), "elsewhere.py": frozenset({3})}
    (finding,) = (await report(CheckedChange((POT,), reports={"a": LCOV}, told=told), "coverage")).findings
    assert finding.title == "1 of 5 changed lines are run by no test"
    assert "No test runs `src/tea/pot.py:3`." in finding.body
    alone = await report(CheckedChange((POT,), told=told), "coverage")
    assert (alone.findings, alone.ran) == ((), ("coverage",))


async def test_what_one_of_two_reports_saw_is_tested() -> None:
    other = LCOV.replace("DA:2,0", "DA:2,1").replace("DA:3,0", "DA:3,9").replace("4,0,1,-", "4,0,1,1")
    said = await report(CheckedChange((POT,), reports={"a": LCOV, "b": other}), "coverage")
    assert (said.findings, said.ran) == ((), ("coverage",))


@pytest.mark.parametrize("texts", [{}, {"a": "nonsense"}, {"a": LCOV.replace("pot.py", "cup.py")}])
async def test_without_a_report_of_a_changed_line_it_did_not_run(texts: dict[str, str]) -> None:
    assert (await report(CheckedChange((POT,), reports=texts), "coverage")).ran == ()


async def test_a_path_that_may_mean_two_files_means_none() -> None:
    two = LCOV + LCOV.replace("/builds", "/ci")
    assert (await report(CheckedChange((POT,), reports={"a": two}), "coverage")).ran == ()


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE coverage [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><coverage>&b;</coverage>',
        '<!DOCTYPE coverage [<!ENTITY x SYSTEM "file:///etc/passwd">]><coverage>&x;</coverage>',
        '<!DOCTYPE coverage [<!ATTLIST line hits CDATA "0">]><coverage/>',
        '<!DOCTYPE coverage SYSTEM "file:///etc/passwd"><coverage>&x;</coverage>',
        '<?xml version="1.0" encoding="nonsense"?><coverage/>',
        "<coverage><line></coverage>",
        "<html/>",
        "",
        "SFX:1",
    ],
)
def test_a_hostile_or_foreign_report_is_refused(text: str) -> None:
    try:
        assert reports.read(text) == {}
    except BadReport:
        return


@given(st.text() | st.text().map("SF:a\n{}".format) | st.text().map("<coverage>{}</coverage>".format))
def test_any_text_is_a_report_or_refused(text: str) -> None:
    try:
        assert isinstance(reports.read(text), dict)
    except BadReport:
        return
