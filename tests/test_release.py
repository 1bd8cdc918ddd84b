"""`make release` and `make audit`: what is given out is what the commit says, and says what is in it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests import audit, needs
from tests.release.lock import pins
from tests.release.provenance import public
from tests.release.sbom import sbom

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
DATED = f"## {VERSION}, 2026-01-31\n"


def git(folder: Path, *words: str) -> str:
    named = ("-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "-c", "tag.gpgSign=false")
    at = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-01-31T12:00:00Z")
    command = ["git", *named, *words]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **at}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as it is now, committed, with a date on its newest changes."""
    folder = tmp_path_factory.mktemp("clone") / "hob"
    for name in git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    changes = folder / "CHANGELOG.md"
    changes.write_text(re.sub(rf"^## {re.escape(VERSION)}.*\n", DATED, changes.read_text(), flags=re.M))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Release")
    git(folder, "tag", f"v{VERSION}")
    return folder


def clone(of: Path, into: Path) -> Path:
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", of, into], check=True)
    return into


def release(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.release", *words],
        cwd=folder, env={**os.environ, **environ}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def tools() -> None:
    if find_spec("cyclonedx") is None:
        needs.missing("what makes a release", "it with `make .venv/.release`")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}


@pytest.mark.timeout(240)
def test_a_release_that_is_made_again_elsewhere_is_the_same_to_the_byte(
    released: Path, tmp_path: Path
) -> None:
    tools()
    one, other = clone(released, tmp_path / "one"), clone(released, tmp_path / "another" / "place")
    git(one, "remote", "set-url", "origin", "https://ann:s3cret@code.example/octo/hob.git")
    git(other, "remote", "set-url", "origin", "https://code.example/octo/hob.git")
    (other / "app.pem").write_text("a key that git does not see")
    (other / "bot" / "hob.toml").write_text("private")
    for path in other.rglob("*.py"):
        path.chmod(0o777)
        os.utime(path, (1, 1))
    git(other, "config", "core.fileMode", "false")
    keygen = needs.program("ssh-keygen", "openssh-client")
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    first = release(one, "--key", str(tmp_path / "key"), TZ="Asia/Tokyo")
    assert first.returncode == 0 and "not tagged" not in first.stdout, first.stderr
    check_signature(shutil.copytree(one / "dist", tmp_path / "fetched"), tmp_path / "key")
    (one / "dist" / "SHA256SUMS.sig").unlink()
    old = os.umask(0o077)
    try:
        second = release(other, SOURCE_DATE_EPOCH="7", PYTHONHASHSEED="3")
    finally:
        os.umask(old)
    assert second.returncode == 0, second.stderr
    assert contents(one) == contents(other)
    look_at(contents(one), git(one, "rev-parse", "HEAD"), str(tmp_path))
    assert git(one, "status", "--porcelain") == "", "dist/ is not git's"
    with zipfile.ZipFile(one / "dist" / f"hobbot-{VERSION}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    assert {"bot/app.yml", "bot/cli/__main__.py"} <= names
    assert not [
        name
        for name in names
        if name.startswith(("tests/", "deploy/")) or name.endswith((".pem", "hob.toml"))
    ]


def look_at(files: dict[str, bytes], commit: str, folder: str) -> None:
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(text).hexdigest() for name, text in files.items() if name != "SHA256SUMS"
    }
    assert len(sums) == 4
    told = json.loads(files[f"hobbot-{VERSION}.provenance.json"])
    built = {name: text for name, text in sums.items() if not name.endswith(".json")}
    assert {one["name"]: one["digest"]["sha256"] for one in told["subject"]} == built
    assert told["predicate"]["buildDefinition"]["externalParameters"] == {
        "commit": commit,
        "tag": f"v{VERSION}",
    }
    source, *locks = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["uri"] == f"git+https://code.example/octo/hob.git@{commit}"
    assert source["digest"] == {"gitCommit": commit}
    assert {one["name"] for one in locks} >= {"requirements.txt", "requirements-build.txt"}
    for name in files:
        if name.endswith(".json"):
            assert not any(word in files[name].decode() for word in ("s3cret", folder, str(ROOT), sys.prefix))


NEVER = "no release: "


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("echo >>README.md", "commit or remove"),
        ("touch bot/new.py", "bot/new.py"),
        (
            f"sed -i.bak 's/^## {VERSION}.*/## 9.9.9, 2026-01-31/' CHANGELOG.md && git commit -qam x",
            "0 sections",
        ),
        (
            f"sed -i.bak 's/^## {VERSION}.*/## {VERSION}, unreleased/' CHANGELOG.md && git commit -qam x",
            "its date",
        ),
        (f"sed -i.bak 's/^## {VERSION}.*/## {VERSION}/' CHANGELOG.md && git commit -qam x", "its date"),
        (f"echo '## {VERSION}, 2026-01-30' >>CHANGELOG.md && git commit -qam x", "2 sections"),
        ("echo >>README.md && git commit -qam x", "is another commit"),
    ],
)
def test_what_is_not_ready_is_refused_with_what_to_do(
    released: Path, tmp_path: Path, change: str, why: str
) -> None:
    folder = clone(released, tmp_path / "clone")
    named = (
        "git config user.name Ann; git config user.email ann@tea.example; echo '*.bak' >>.git/info/exclude; "
    )
    subprocess.run(["sh", "-ec", named + change], cwd=folder, check=True, capture_output=True)
    done = release(folder)
    assert done.returncode == 1 and done.stderr.startswith(NEVER) and why in done.stderr, done.stderr
    assert not (folder / "dist").exists()


def check_signature(folder: Path, key: Path) -> None:
    """As docs/operations.md says; and not with a line more."""
    (folder / "signers").write_text(f"ann@tea.example {key.with_suffix('.pub').read_text()}")
    page = (ROOT / "docs" / "operations.md").read_text()
    (command,) = re.findall(r"^ssh-keygen -Y verify .*$", page, re.MULTILINE)
    for more, code in ((b"", 0), (b"0\n", 255)):
        with (folder / "SHA256SUMS").open("ab") as sums:
            sums.write(more)
        checked = subprocess.run(
            ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert checked.returncode == code, checked.stderr


def test_the_bill_of_materials_names_every_package_that_is_installed_beside_hob() -> None:
    pinned = pins(ROOT / "requirements.txt")
    text = (ROOT / "requirements.txt").read_text()
    assert len(pinned) == len(re.findall(r"^[a-zA-Z0-9]", text, re.MULTILINE))
    assert sum(len(pin.hashes) for pin in pinned) == text.count("--hash=")
    bom: Any = sbom("1.2.3", "c" * 40, 1_700_000_000, pinned)
    parts = {one["purl"]: one for one in bom["components"]}
    assert len(parts) == len(pinned)
    assert all(one["hashes"] for one in parts.values())
    licensed = [one for one in parts.values() if "licenses" in one]
    assert len(licensed) >= 0.9 * len(parts), "those that are installed here tell"
    graph = {one["ref"]: one["dependsOn"] for one in bom["dependencies"]}
    assert set(graph) == {*parts, "pkg:generic/hobbot@1.2.3"}
    assert {ref for refs in graph.values() for ref in refs} == set(parts), "nothing is there for nobody"
    direct = {ref.partition("@")[0].removeprefix("pkg:pypi/") for ref in graph["pkg:generic/hobbot@1.2.3"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert direct == {re.match(r"[\w-]+", one)[0] for one in project}  # type: ignore[index]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://ann:s3cret@code.example/octo/hob.git", "https://code.example/octo/hob.git"),
        ("https://code.example:8443/hob?token=s3cret#x", "https://code.example:8443/hob"),
        ("git@code.example:octo/hob.git", "ssh://code.example/octo/hob.git"),
        ("ssh://git@code.example:22/octo/hob.git", "ssh://code.example:22/octo/hob.git"),
        ("/home/ann/hob", ""),
        ("../hob", ""),
        ("file:///home/ann/hob", ""),
        ("https://[bad", ""),
        ("https://code.example:port/x", ""),
        ("", ""),
    ],
)
def test_where_a_clone_came_from_is_told_without_credentials_and_paths(source: str, shown: str) -> None:
    assert public(source) == shown


FINE = {"name": "tea", "version": "1", "vulns": []}
WEAK = {"name": "cup", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "pot", "skip_reason": "Dependency not found and could not be audited: pot (4)"}
TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([FINE], 0, "1 packages, no known weakness"),
        ([FINE, FINE, WEAK], 1, "cup 2: PYSEC-1, fixed in 3"),
        ([FINE, UNKNOWN], audit.NOT_ASKED, "nobody here knows of pot; 1 others"),
        ([WEAK, UNKNOWN], 1, "PYSEC-1"),
        ([UNKNOWN] * 3, audit.NOT_ASKED, "knows of pot; 0 others"),
        ([], audit.NOT_ASKED, "knows of anything"),
    ],
)
def test_an_audit_is_green_only_where_every_package_was_asked_about(
    packages: list[dict[str, Any]], code: int, said: str
) -> None:
    lines, ended = audit.judged(packages, TODAY)
    assert ended == code and said in " ".join(lines)


def test_a_weakness_is_let_pass_with_a_reason_until_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "IGNORED", {"PYSEC-1": ("only cups of glass break", TODAY)})
    assert audit.judged([WEAK], TODAY)[1] == 0
    lines, code = audit.judged([WEAK], date.max)
    assert code == 1 and "was let pass until" in lines[0]


def test_what_is_let_pass_is_let_pass_for_half_a_year_at_most() -> None:
    assert all(why and (until - TODAY).days < 183 for why, until in audit.IGNORED.values())


def test_an_audit_without_an_answer_is_not_green(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert audit.main() == audit.NOT_ASKED
    assert "audit: not asked" in capsys.readouterr().out
