"""What the steps of a workflow run, as scripts whose lines are known in the file."""

import pytest

from bot.checks.scripts import scripts_of
from tests.checks.changes import found, report
from tests.checks.test_shellcheck import installed

PATH = ".github/workflows/ci.yml"
HEAD = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
"""Five lines, to which steps are added."""


def lines(text: str, path: str = PATH) -> list[tuple[int, str]]:
    """Each line of each script with its number in the file, but for those that Hob puts before it."""
    return [
        (number + script.before, line)
        for script in scripts_of(path, text)
        for number, line in enumerate(script.text.split("\n"), 1)
        if line and number + script.before > 0 and not line.startswith(("#!", "set -e"))
    ]


STEPS = {
    "one line": ("      - run: cd $1\n", [(6, "cd $1")]),
    "quoted": ('      - run: "cd $1"\n', [(6, "cd $1")]),
    "on the next line": ("      - run:\n          cd $1\n", [(7, "cd $1")]),
    "a block": ("      - run: |\n          a\n\n            b\n", [(7, "a"), (9, "  b")]),
    "a block with an indent": ("      - run: |1\n          a\n", [(7, " a")]),
    "a block without an end": ("      - run: |-\n          a\n          b", [(7, "a"), (8, "b")]),
    "after others": (
        "      - uses: a/b@v1\n      - name: x\n        run: >-\n          a\n      - run: |\n          b\n",
        [(9, "a"), (11, "b")],
    ),
    "a block that its key names too": ("      - run: |\n          run\n", [(7, "run")]),
    "a block with a comment": ("      - run: | # run it\n          run it\n", [(7, "run it")]),
    "twice": ("      - run: make\n      - run: make\n", [(6, "make"), (7, "make")]),
    "a line that ends as a block begins": ("      - run: a >\n      - run: b |\n", [(6, "a >"), (7, "b |")]),
    "other ends of lines": ("      - run: |\r\n          a\r\n          b\r\n", [(7, "a"), (8, "b")]),
    "bash": ("      - run: a\n        shell: bash\n", [(6, "a")]),
    "with what GitHub puts in": ("      - run: echo ${{ a.b }} x\n", [(6, "echo __________ x")]),
}


@pytest.mark.parametrize("kind", STEPS)
def test_each_line_of_a_step_is_known_in_its_file(kind: str) -> None:
    steps, expected = STEPS[kind]
    assert lines(HEAD + steps) == expected


OTHERS = {
    "folded, so that its lines are others": "      - run: >\n          a\n          b\n",
    "quoted over several lines": '      - run: "a\n\n          b"\n',
    "another shell": "      - run: a\n        shell: pwsh\n",
    "Python": "      - run: a\n        shell: python\n",
    "a shell that is put in": "      - run: a\n        shell: ${{ matrix.shell }}\n",
    "no text": "      - run: [a]\n      - run: {a: b}\n      - run:\n",
    "an alias": "      - name: &x a\n      - run: *x\n",
    "no step": "      - a\n      - 1\n      -\n",
    "lines that only YAML knows": "      # \u2028\u2028\u2029\x85\u2028\u2028\n      - run: a\n",
    "no YAML": "      - run: |\n        a: [\n  b",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_script_of_known_lines_is_left_alone(kind: str) -> None:
    assert lines(HEAD + OTHERS[kind]) == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("ubuntu", "windows"),
        HEAD.replace("ubuntu-latest", "${{ matrix.os }}").replace(
            "    steps", "    strategy: {matrix: {os: [ubuntu-latest, Windows-2022]}}\n    steps"
        ),
        f"defaults: {{run: {{shell: pwsh}}}}\n{HEAD}",
        HEAD.replace("    steps", "    defaults: {run: {shell: cmd}}\n    steps"),
    ],
)
def test_a_machine_or_a_default_of_another_shell_counts_until_a_step_says_otherwise(text: str) -> None:
    assert lines(f"{text}      - run: cd $1\n") == []
    assert len(lines(f"{text}      - run: cd $1\n        shell: bash\n")) == 1


def test_an_action_has_steps_too_and_other_yaml_has_none() -> None:
    action = "runs:\n  using: composite\n  steps:\n    - run: cd $1\n      shell: bash\n"
    assert lines(action, "tools/action.yml") == [(4, "cd $1")]
    assert lines(action, "tools/other.yml") == []


@pytest.mark.parametrize("text", ["", "- a\n", "jobs: [a]\n", "jobs: {a: b}\n", "runs: x\n", "&a [*a]\n"])
def test_yaml_of_any_shape_is_no_failure(text: str) -> None:
    assert scripts_of(PATH, text) == []


async def test_shellcheck_speaks_of_the_lines_of_workflows() -> None:
    """Those that it could not know, it leaves alone: an exit that GitHub makes by `-e`, what is put in."""
    installed()
    steps = (
        "      - run: |\n          cd $DIR\n          rm -rf $DIR/*\n"
        '      - run: if [ "${{ a.b }}" = x ]; then echo $DIR; fi\n'
        "      - run: for x in ${{ a.b }}; do echo; done\n"
        "      - run: ${{ a.b }}) fi\n"
    )
    files = {PATH: HEAD + steps, "run.sh": "#!/bin/bash\ncd $1\n"}
    assert sorted(await found(files, "shellcheck")) == [
        (PATH, 8, 'Use "${var:?}" to ensure this never expands to /* .'),
        ("run.sh", 2, "Use 'cd ... || exit' or 'cd ... || return' in case cd fails."),
    ]
    said = await report({PATH: HEAD + "      - run: if x; then\n"}, "shellcheck")
    assert {(one.path, one.line, one.category[:3]) for one in said.findings} == {(PATH, 6, "SC1")}
