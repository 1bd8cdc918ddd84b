"""Programs that are installed outside of the system's folders start in the sandbox, which shows those alone:
as pip, pipx, uv, npm, pnpm, Homebrew, conda and managers of versions put them into somebody's home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import sandbox
from bot.checks import launching, linter, programs
from bot.core.check_input import NotJudged
from bot.core.sandbox_types import SandboxedProgram
from tests import needs
from tests.checks.test_linter import TEXT, linter_of


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    return disk_path


async def told(program: SandboxedProgram) -> tuple[int, str]:
    """What it says in the sandbox."""
    ended = await sandbox.run(program)
    return ended.code, ended.output.decode()


def written(path: Path, text: str) -> Path:
    """A script that can be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("interpreter", [os.path.realpath(sys.executable), "/usr/bin/python3"])
async def test_a_program_of_an_environment_elsewhere_is_started_with_its_packages_alone(
    interpreter: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A script of Python's whose packages lie beside it, as pip and pipx install; nothing else of that folder
    is there for it."""
    needs.sandbox()
    if not Path(interpreter).exists():
        needs.missing(interpreter, "python3")
    home = tmp_path / "home"
    packages = home / "venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "teapot.py").write_text(
        "import json, os, sys\n"
        "seen = [os.path.exists(one) for one in sys.argv[1].split(':')]\n"
        "said = f'{seen} {sys.path[0]}'\n"
        "print(json.dumps([{'file': '0.txt', 'line': 2, 'code': 'X1', 'message': said}]))\n"
    )
    (home / "secret").write_text("x")
    (home / "venv" / "secret").write_text("x")
    script = home / "venv" / "bin" / "teapot"
    script.parent.mkdir()
    script.write_text(f"#!{interpreter}\nimport teapot\n")
    script.chmod(0o755)
    monkeypatch.setattr(programs, "find", lambda _: str(script))
    asked = ":".join(map(str, (home / "secret", home / "venv" / "secret", packages / "teapot.py")))
    known = linter_of(arguments=[asked])
    said = await linter.judge(known, {"a.txt": TEXT}, sandbox.run)
    assert said.remarks[0].message.startswith("[False, False, True]")
    assert "/repo" not in said.remarks[0].message


STARTERS = {
    "pnpm": """basedir_abs=$(CDPATH= cd -P -- "$(dirname "$0")" && pwd -P) || exit $?
exec node  "$basedir_abs"/'../.pnpm/teapot@1.2.3/node_modules/teapot/bin/teapot' "$@"
""",
    "an older pnpm": """basedir=$(dirname "$(echo "$0" | sed -e 's,\\\\,/,g')")
exec node  "$basedir/../.pnpm/teapot@1.2.3/node_modules/teapot/bin/teapot" "$@"
""",
    "Homebrew": 'FOO="x" exec "{home}/.pnpm/teapot@1.2.3/node_modules/teapot/bin/teapot" "$@"\n',
}


@pytest.mark.parametrize("shell", ["#!/bin/sh", "#!/usr/bin/env bash"])
@pytest.mark.parametrize("kind", STARTERS)
async def test_a_script_that_starts_a_program_elsewhere_is_passed_over(
    kind: str, shell: str, tmp_path: Path
) -> None:
    """Inside there is no such folder, and no node."""
    needs.sandbox()
    script = f"{shell}\n{STARTERS[kind].replace('{home}', str(tmp_path))}"
    starter = written(tmp_path / "bin" / "teapot", script)
    folder = tmp_path / ".pnpm" / "teapot@1.2.3" / "node_modules"
    written(folder / "teapot" / "bin" / "teapot", "#!/usr/bin/env node\nnonsense(\n")
    written(folder / "teapot-linux" / "teapot", '#!/bin/sh\necho "teapot $1"\n')
    program = launching.launched(str(starter), ("--version",), ("../../teapot-{system}/teapot",))
    if sys.platform == "linux":
        assert await told(program) == (0, "teapot --version\n")


async def test_a_script_that_starts_nothing_elsewhere_is_started_itself(tmp_path: Path) -> None:
    needs.sandbox()
    script = written(tmp_path / "teapot", f"#!/bin/sh\n# {tmp_path}/teapot ./no/teapot\necho $0\n")
    assert await told(launching.launched(str(script), ())) == (0, "/hob/teapot\n")


async def test_a_program_whose_libraries_lie_elsewhere_is_loaded_with_them_alone(tmp_path: Path) -> None:
    """As those of Homebrew and conda are, which find them from where they lie themselves; and by a loader
    that stands elsewhere, too."""
    needs.sandbox()
    cc = needs.program("cc", "gcc")
    home = tmp_path / "home"
    for name in ("bin", "lib"):
        (home / name).mkdir(parents=True)
    (home / "lib" / "secret").write_text("x")
    (home / "tea.c").write_text("int tea(void) { return 42; }\n")
    (home / "pot.c").write_text(
        "#include <stdio.h>\n#include <unistd.h>\nint tea(void);\n"
        'int main(int n, char **v) { printf("%d %d\\n", tea(), access(v[1], F_OK)); return 0; }\n'
    )
    library, program = home / "lib" / "libtea.so", home / "bin" / "teapot"
    subprocess.run([cc, "-shared", "-fPIC", "-o", library, home / "tea.c"], check=True)
    found = ["-L", home / "lib", "-ltea", "-Wl,-rpath,$ORIGIN/../lib"]
    if loaders := [*Path("/lib64").glob("ld-linux-*"), *Path("/lib").glob("ld-linux-*")]:
        (home / "lib" / "ld.so").symlink_to(loaders[0])  # as Homebrew has it on Linux
        found += [f"-Wl,--dynamic-linker={home}/lib/ld.so"]
    subprocess.run([cc, "-o", program, home / "pot.c", *found], check=True)
    secret = str(home / "lib" / "secret")
    assert await told(launching.launched(str(program), (secret,))) == (0, "42 -1\n")


async def test_what_is_not_there_inside_is_said_with_where_to_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needs.sandbox()
    shim = written(tmp_path / "teapot", "#!/bin/sh\nexec asdf-of-somebody exec teapot\n")
    monkeypatch.setattr(programs, "find", lambda _: str(shim))
    with pytest.raises(NotJudged, match=r"\(exit code 127; what it starts.*docs/checks\.md\)"):
        await linter.judge(linter_of(), {"a.txt": TEXT}, sandbox.run)
