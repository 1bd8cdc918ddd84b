"""`make release`: what is given out of a commit, into dist/. Made again, wheel and sdist are the same."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.release.lock import pins
from tests.release.provenance import provenance, sha256
from tests.release.sbom import sbom

LOCKS = ("requirements.txt", "requirements-build.txt", "requirements-release.txt")


def main() -> None:
    asked = argparse.ArgumentParser(prog="make release", description=__doc__)
    asked.add_argument("--key", type=Path, help="an SSH key that signs SHA256SUMS")
    asked.add_argument("--into", type=Path, default=Path("dist"))
    given = asked.parse_args()
    version, tag = releasable(Path.cwd())
    commit, seconds = git("rev-parse", "HEAD"), int(git("log", "-1", "--format=%ct"))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "dist")
        built = build(Path(folder), made, seconds)
        source = git("config", "--get", "remote.origin.url", fails=True)
        write(
            made / f"hobbot-{version}.cdx.json", valid(sbom(version, commit, seconds, pins(Path(LOCKS[0]))))
        )
        write(
            made / f"hobbot-{version}.provenance.json",
            provenance(
                built,
                source=source,
                commit=commit,
                tag=tag,
                seconds=seconds,
                materials=list(map(Path, LOCKS)),
            ),
        )
        files = sorted(made.iterdir())
        (made / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files))
        if given.key:
            sign(made / "SHA256SUMS", given.key)
        if given.into.exists():
            shutil.rmtree(given.into)
        shutil.copytree(made, given.into)
    print(f"{given.into}: {version} of {commit[:12]}{'' if tag else f', not tagged: git tag -s v{version}'}")
    for path in sorted(given.into.iterdir()):
        print(f"  {path.stat().st_size:>9} {path.name}")


def releasable(root: Path) -> tuple[str, str]:
    """The version, and its tag where there is one; ends with what is to be done first."""
    if changed := git("status", "--porcelain"):
        raise SystemExit(f"no release: the work tree is not what is committed; commit or remove\n{changed}")
    version: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    titles = re.findall(rf"^## {re.escape(version)}(?:, (.*))?$", (root / "CHANGELOG.md").read_text(), re.M)
    if len(titles) != 1:
        raise SystemExit(f"no release: CHANGELOG.md has {len(titles)} sections of {version}, and needs one")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", titles[0]):
        raise SystemExit(
            f"no release: give the section of {version} in CHANGELOG.md its date, as ## {version}, 2026-01-31"
        )
    tag = f"v{version}"
    of = git("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}", fails=True)
    if of and of != git("rev-parse", "HEAD"):
        raise SystemExit(
            f"no release: {tag} is another commit ({of[:12]}); check it out, or give this a new version"
        )
    return version, tag if of else ""


def build(folder: Path, into: Path, seconds: int) -> list[Path]:
    """Sdist and wheel of the files of the commit; nothing else of the clone is there."""
    source = folder / "source"
    files = subprocess.run(["git", "archive", "--format=tar", "HEAD"], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(files)) as archive:
        archive.extractall(source, filter="data")
    environ = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(seconds),
        "PYTHONHASHSEED": "0",
    }
    command = [
        sys.executable,
        "-I",
        "-m",
        "hatchling",
        "build",
        "-t",
        "sdist",
        "-t",
        "wheel",
        "-d",
        str(into),
    ]
    done = subprocess.run(
        command, cwd=source, env=environ, capture_output=True, text=True, umask=0o022, check=False
    )
    if done.returncode:
        raise SystemExit(f"no release: hatchling ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return sorted(into.iterdir())


def valid(bom: dict[str, Any]) -> dict[str, Any]:
    """The same; ends where CycloneDX's own schema refuses it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)):
        raise SystemExit(f"no release: the bill of materials is not CycloneDX 1.6: {wrong}")
    return bom


def write(path: Path, what: dict[str, Any]) -> None:
    path.write_text(json.dumps(what, indent=2, sort_keys=True) + "\n")


def sign(path: Path, key: Path) -> None:
    """As `ssh-keygen -Y verify` reads it, with the namespace that it names for files."""
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "file", path], check=True)


def git(*words: str, fails: bool = False) -> str:
    """What it prints; empty where it `fails` and may."""
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if done.returncode and not fails:
        raise SystemExit(f"git {' '.join(words)}: {done.stderr.strip()}")
    return "" if done.returncode else done.stdout.strip()


if __name__ == "__main__":
    main()
