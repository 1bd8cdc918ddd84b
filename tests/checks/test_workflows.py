"""GitHub workflows: mistakes that are certain, in their lines; and actionlint where it is installed."""

from pathlib import Path

import pytest

from bot.checks import programs, workflows
from tests import needs
from tests.checks.changes import found, report

PATH = ".github/workflows/ci.yml"
HEAD = "name: ci\non: [push, pull_request]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
"""Six lines, to which steps are added."""

WRONG = {
    "not YAML": ("on: push\njobs:\n  a: [\n", 3, "This is not valid YAML"),
    "a list": ("- a\n", 1, "This is no workflow"),
    "no on": ("jobs:\n  a:\n    runs-on: x\n    steps: [{run: x}]\n", 1, "The workflow has no `on`"),
    "an event": (HEAD.replace("push,", "pushed,") + "      - run: x\n", 2, "There is no event `pushed`"),
    "a top key": ("nmae: x\n" + HEAD + "      - run: x\n", 1, "`nmae` is no key of a workflow"),
    "a job's key": (
        HEAD.replace("    steps", "    need: a\n    steps") + "      - run: x\n",
        6,
        "`need` is no key of a job",
    ),
    "a step's key": (HEAD + "      - run: x\n        shel: sh\n", 8, "`shel` is no key of a step"),
    "no such job": (
        HEAD.replace("    steps", "    needs: [biuld]\n    steps") + "      - run: x\n",
        6,
        "There is no job `biuld`",
    ),
    "itself": (
        HEAD.replace("    steps", "    needs: build\n    steps") + "      - run: x\n",
        6,
        "The job needs itself",
    ),
    "no runs-on": (
        HEAD.replace("    runs-on: ubuntu-latest\n", "") + "      - run: x\n",
        4,
        "Job `build` has no `runs-on`",
    ),
    "no steps": ("on: push\njobs:\n  a:\n    runs-on: x\n", 3, "Job `a` has no `steps`"),
    "both": (HEAD + "      - run: x\n        uses: a/b@v1\n", 7, "A step has `uses` or `run`, not both"),
    "neither": (HEAD + "      - name: x\n", 7, "The step does nothing"),
    "twice": (HEAD + "      - run: x\n        run: y\n", 8, "`run` stands here twice"),
    "no version": (HEAD + "      - uses: actions/checkout\n", 7, "The action has no version"),
    "not pinned": (HEAD + "      - uses: a/b@main\n", 7, "The action is not pinned"),
    "a context": (
        HEAD + "      - run: x\n        if: ${{ git.ref == 'x' }}\n",
        8,
        "There is no context `git`",
    ),
    "no end": (HEAD + "      - run: echo ${{ github.ref }\n", 7, "`${{` has no end"),
    "a caller with steps": (
        "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    steps: []\n",
        5,
        "A job with `uses` has no `steps`",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_a_mistake_is_found_in_its_line(kind: str) -> None:
    text, line, title = WRONG[kind]
    assert await found({PATH: text}, "actionlint") == [(PATH, line, title)]


@pytest.mark.parametrize(
    "text",
    [
        "github.event.issue.title",
        "github.event.pull_request.body",
        "github.event['pull_request']['title']",
        "github.event.pull_request.head.ref",
        "github.head_ref",
        "github.event.commits[0].message",
        "github.event.commits.*.author.name",
        "format('{0}', github.event.comment.body)",
    ],
)
async def test_a_strangers_text_in_a_script_is_found_where_it_stands(text: str) -> None:
    script = f"      - name: x\n        run: |\n          echo hi\n          echo ${{{{ {text} }}}}\n"
    ((_, line, title),) = await found({PATH: HEAD + script}, "actionlint")
    assert line == 10
    assert title.endswith("is pasted into a script")


async def test_the_same_text_in_env_is_right() -> None:
    step = (
        '      - run: echo "$TITLE"\n        env:\n          TITLE: ${{ github.event.issue.title }}\n'
        "      - run: echo ${{ github.event.pull_request.number }} ${{ github.event.issue.titled }}\n"
        "      - uses: actions/github-script@v7\n        with:\n          script: return 1\n"
    )
    assert await found({PATH: HEAD + step}, "actionlint") == []


async def test_a_strangers_code_beside_secrets_is_found() -> None:
    text = (
        "on: pull_request_target\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n"
    )
    title = "A stranger's code is checked out where secrets are"
    assert await found({PATH: text}, "actionlint") == [(PATH, 8, title)]
    assert await found({PATH: text.replace("_target", "")}, "actionlint") == []


REAL = """\
name: CI
run-name: ${{ github.actor }} tests
on:
  push: {branches: [main]}
  workflow_dispatch:
    inputs:
      level: {type: choice, options: [a, b]}
permissions: {contents: read}
concurrency: {group: "${{ github.ref }}", cancel-in-progress: true}
env: &all
  A: 1
defaults: {run: {shell: bash}}
jobs:
  test:
    strategy:
      matrix: {os: [ubuntu-latest, macos-latest]}
    runs-on: ${{ matrix.os }}
    env: *all
    services: {redis: {image: redis}}
    outputs: {sha: "${{ steps.x.outputs.sha }}"}
    steps:
      - uses: actions/checkout@v4
      - uses: ./local/action
      - uses: docker://alpine:3.20
      - id: x
        if: ${{ !cancelled() && contains(fromJSON('["a.b"]'), inputs.level) && hashFiles('**/x.lock') != '' }}
        run: |
          echo "sha=$(git rev-parse HEAD)" >> "$GITHUB_OUTPUT"
          echo '${{ toJSON(matrix) }}' ${{ runner.os }} ${{ secrets.GITHUB_TOKEN }} ${{ vars['X'] }}
  call:
    needs: [test]
    uses: o/r/.github/workflows/x.yml@v1
    with: {sha: "${{ needs.test.outputs.sha }}"}
    secrets: inherit
"""


async def test_a_right_workflow_is_left_alone() -> None:
    said = await report({PATH: REAL, "deploy/chart.yml": "nonsense: [\n"}, "actionlint")
    assert (said.findings, said.ran) == ((), ("actionlint",))


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n",
        "[" * 5_000,
        "on: push\n" + "x: y\n" * 40_000,
        "\x00",
        "",
        "on: *on\njobs: *jobs\n",
        "jobs: {? [a]: b, c: [d], e: {steps: [[], x, {uses: [y]}]}}\n",
        "on: push\njobs:\n  a: " + "${{" * 5_000 + "\n",
        "on: push\njobs:\n  a: '" + "[" * 300 + "x['" * 50 + "'\n",
    ],
)
def test_C5_hostile_files_are_judged_quickly_or_not_at_all(text: str) -> None:
    assert isinstance(workflows.judged(PATH, text), list)


async def test_what_actionlint_finds_besides_is_said_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program that answers in actionlint's format: `{{json .}}`."""
    needs.sandbox()
    said = (
        '[{"message":"shell name \\"sx\\" is invalid","filepath":"0.yml","line":8,"column":1,'
        '"kind":"shell-name","snippet":"","end_column":2},{"message":"again","filepath":"0.yml","line":7,"column":1,"kind":"action"}]'
    )
    program = tmp_path / "actionlint"
    program.write_text(f"#!/bin/sh\n[ -s 0.yml ] && [ -e hob.yaml ] && echo '{said}'\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "beside_hob", lambda name: str(tmp_path / "none" / name))
    text = HEAD + "      - uses: a/b@main\n      - run: x\n"
    assert await found({PATH: text}, "actionlint") == [
        (PATH, 7, "The action is not pinned"),
        (PATH, 8, 'shell name "sx" is invalid'),
    ]


@pytest.mark.parametrize("script", ["exit 3", "echo null", "kill -9 $$", "echo '[]'; exit 1"])
async def test_an_actionlint_that_fails_is_said_and_hobs_own_rules_count(
    script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needs.sandbox()
    program = tmp_path / "actionlint"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "beside_hob", lambda name: str(tmp_path / "none" / name))
    said = await report({PATH: HEAD + "      - uses: a/b@main\n"}, "actionlint")
    assert [one.line for one in said.findings] == [7]
    assert said.ran == ("actionlint",)
    ((name, why),) = said.not_run
    assert name == "a part of actionlint"
    assert why.startswith("it gave no answer that can be read")


async def test_a_branch_that_is_meant_to_be_followed_is_none_of_its_faults() -> None:
    step = "      - uses: dtolnay/rust-toolchain@master\n"
    assert await found({PATH: HEAD + step + "        with: {toolchain: stable}\n"}, "actionlint") == []
    assert len(await found({PATH: HEAD + step}, "actionlint")) == 1
