"""shellcheck on shell scripts: what is wrong on added lines, nothing that a script names read."""

import os
from pathlib import Path

import pytest

from bot.checks import programs
from tests import needs
from tests.checks.changes import found, report


def installed() -> None:
    needs.sandbox()
    if programs.find("shellcheck") is None:
        needs.missing("shellcheck", "it with the extra `checks`, or shellcheck")


@pytest.fixture(autouse=True)
def _installed() -> None:
    installed()


async def test_what_is_wrong_in_a_script_is_found_where_it_is() -> None:
    said = await report({"bin/brew": "#!/usr/bin/env bash\nset -e\nrm -rf $1/*\n"}, "shellcheck")
    (finding,) = said.findings
    assert (finding.path, finding.line, finding.category) == ("bin/brew", 3, "SC2115")
    assert said.ran == ("shellcheck",)


async def test_a_file_that_is_no_script_is_not_read() -> None:
    said = await report({"a.txt": "rm -rf $1/*\n", "a.zsh": "#!/bin/zsh\n"}, "shellcheck")
    assert (said.ran, said.not_run) == ((), ())


async def test_C4_neither_its_configuration_nor_a_sourced_file_is_read() -> None:
    script = "#!/bin/bash\n# shellcheck source=/etc/passwd\n. /etc/passwd\n. ./.shellcheckrc\ncd $1\n"
    rc = "disable=SC2164\nexternal-sources=true\n"
    assert await found({".shellcheckrc": rc, "a.sh": script}, "shellcheck") == [
        ("a.sh", 5, "Use 'cd ... || exit' or 'cd ... || return' in case cd fails.")
    ]


async def test_hostile_names_are_no_options() -> None:
    names = ("-x.sh", "--rcfile=evil.sh", "../../a.sh", "a\n.sh")
    said = await found(dict.fromkeys(names, "#!/bin/sh\ncd $1\n"), "shellcheck")
    assert sorted(path for path, _, _ in said) == sorted(names)


async def test_without_the_program_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(programs, "beside_hob", lambda name: str(tmp_path / name))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    said = await report({"a.sh": "cd $1\n"}, "shellcheck")
    assert said.not_run == (("shellcheck", "not installed here (`hob checks` says how)"),)


async def test_C4_what_a_program_complains_of_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that reads what it should not and says so, instead of an answer."""
    evil = tmp_path / "shellcheck"
    evil.write_text("#!/bin/sh\necho 'root:x:0:0' >&2\necho 'root:x:0:0'\nexit 3\n")
    evil.chmod(0o755)
    monkeypatch.setattr(programs, "beside_hob", lambda _: str(evil))
    said = await report({"a.sh": "cd $1\n"}, "shellcheck")
    assert said.findings == ()
    assert said.not_run == (("shellcheck", "it gave no answer that can be read (exit code 3)"),)


async def test_what_may_be_another_shells_file_or_a_template_is_not_called_broken() -> None:
    text = "{{,us-}ascii,greek{,8}}\necho 'tea\n"
    assert await found({"complete/encodings.sh": text}, "shellcheck") == []
    assert await found({"a.sh": "#!/bin/bash\necho 'tea\n"}, "shellcheck") != []
