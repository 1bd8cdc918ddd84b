"""Mistakes in GitHub workflows that are certain from the file alone.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
https://docs.github.com/en/actions/reference/security/secure-use
"""

import difflib
from collections.abc import Iterator

from bot import yamlnodes
from bot.checks import expressions, grammar
from bot.checks.expressions import ExpressionFault
from bot.core.findings import Finding
from bot.yamlnodes import Mapping, RefusedError, Scalar, Sequence, UnreadableError, YamlNode


def judged(path: str, text: str) -> list[Finding]:
    """What is wrong in one workflow, in any of its lines. Nothing of one that is too large to be read."""
    lines = text.rstrip("\n").split("\n")
    return [
        Finding(
            path=path,
            severity=severity,
            category="workflow",
            title=title,
            body=body,
            quote=lines[line - 1] if 0 < line <= len(lines) else "",
            source="actionlint",
            line=line,
        )
        for line, severity, title, body in _faults(text, lines)
    ]


def _faults(text: str, lines: list[str]) -> Iterator[ExpressionFault]:
    try:
        tree = yamlnodes.read(text, aliases=True)
    except RefusedError:
        return
    except UnreadableError as error:
        yield (
            min(error.line, len(lines)),  # where a bracket is missing, the mark is after the last line
            "critical",
            "This is not valid YAML",
            f"{error.message}. GitHub runs none of the file.",
        )
        return
    if not isinstance(tree, Mapping):
        yield 1, "critical", "This is no workflow", "A mapping with `on` and `jobs` is expected."
        return
    yield from _twice(tree)
    yield from _unknown(tree, grammar.WORKFLOW, "a workflow")
    for name in ("on", "jobs"):
        if _get(tree, name) is None:
            yield tree.line, "critical", f"The workflow has no `{name}`", "GitHub runs none of the file."
    events = dict(_events(_get(tree, "on")))
    for event, line in events.items():
        if event not in grammar.EVENTS:
            yield line, "major", f"There is no event `{_shown(event)}`", _perhaps(event, grammar.EVENTS)
    jobs = _get(tree, "jobs")
    if isinstance(jobs, Mapping):
        names = {key.text for key, _ in jobs.items if isinstance(key, Scalar)}
        for key, job in jobs.items:
            if isinstance(key, Scalar) and isinstance(job, Mapping):
                yield from _job(key, job, names, frozenset(events), lines)
    yield from expressions.faults(tree, lines)


def _events(node: YamlNode | None) -> Iterator[tuple[str, int]]:
    """The names of `on: push`, `on: [push]` and `on: {push: …}`, with their lines."""
    if isinstance(node, Scalar) and node.kind != "alias":
        yield node.text, node.line
    elif isinstance(node, Sequence):
        yield from ((item.text, item.line) for item in node.items if isinstance(item, Scalar))
    elif isinstance(node, Mapping):
        yield from ((key.text, key.line) for key, _ in node.items if isinstance(key, Scalar))


def _job(
    key: Scalar, job: Mapping, names: set[str], events: frozenset[str], lines: list[str]
) -> Iterator[ExpressionFault]:
    yield from _unknown(job, grammar.JOB, "a job")
    for needed in _scalars(_get(job, "needs")):
        if needed.text == key.text:
            yield needed.line, "major", "The job needs itself", "It can never start."
        elif needed.text not in names and "${{" not in needed.text:
            title = f"There is no job `{_shown(needed.text)}`"
            yield needed.line, "major", title, f"`needs` names it. {_perhaps(needed.text, names)}".rstrip()
    calls, steps = _get(job, "uses") is not None, _get(job, "steps")
    if calls:
        for other in ("steps", "runs-on"):
            if (node := _key(job, other)) is not None:
                yield node.line, "major", f"A job with `uses` has no `{other}`", "It calls a whole workflow."
        return
    for missing in ("runs-on", "steps"):
        if _get(job, missing) is None:
            yield (
                key.line,
                "major",
                f"Job `{_shown(key.text)}` has no `{missing}`",
                "GitHub refuses the file.",
            )
    for step in steps.items if isinstance(steps, Sequence) else ():
        if isinstance(step, Mapping):
            yield from _step(step, events, lines)


def _step(step: Mapping, events: frozenset[str], lines: list[str]) -> Iterator[ExpressionFault]:
    yield from _unknown(step, grammar.STEP, "a step")
    uses, run = _get(step, "uses"), _get(step, "run")
    if uses is not None and run is not None:
        yield step.line, "major", "A step has `uses` or `run`, not both", "GitHub refuses the file."
    if uses is None and run is None:
        yield (
            step.line,
            "major",
            "The step does nothing",
            "It has neither `uses` nor `run`; GitHub refuses the file.",
        )
    if isinstance(uses, Scalar):
        yield from _action(uses, _get(step, "with"))
        yield from _head_checked_out(uses, step, events)


def _action(uses: Scalar, given: YamlNode | None) -> Iterator[ExpressionFault]:
    if uses.text.startswith(("./", "docker://")) or uses.kind == "alias" or "${{" in uses.text:
        return
    name, at, version = uses.text.partition("@")
    if not at:
        yield uses.line, "major", "The action has no version", "`owner/name@version` is expected."
    elif version in ("main", "master", "HEAD", "develop", "latest") and not _names_tool(name, given):
        body = f"`{version}` is whatever stands there when the job runs. Name a tag, or better a commit."
        yield uses.line, "minor", "The action is not pinned", body


def _names_tool(action: str, given: YamlNode | None) -> bool:
    """Actions whose branch is meant to be followed: what they install is named beside it, as
    https://github.com/dtolnay/rust-toolchain#inputs has it."""
    return (
        action == "dtolnay/rust-toolchain"
        and isinstance(given, Mapping)
        and _key(given, "toolchain") is not None
    )


def _head_checked_out(uses: Scalar, step: Mapping, events: frozenset[str]) -> Iterator[ExpressionFault]:
    """https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/"""
    trusted = events & {"pull_request_target", "workflow_run", "issue_comment"}
    given = _get(step, "with")
    ref = _get(given, "ref") if isinstance(given, Mapping) else None
    if not trusted or not uses.text.startswith("actions/checkout@") or not isinstance(ref, Scalar):
        return
    if any(mark in ref.text for mark in grammar.HEADS):
        body = (
            f"On `{sorted(trusted)[0]}` the job has the repository's secrets and a token that can write; "
            "what it runs of this checkout is a stranger's."
        )
        yield ref.line, "critical", "A stranger's code is checked out where secrets are", body


def _unknown(node: Mapping, known: frozenset[str], where: str) -> Iterator[ExpressionFault]:
    for key, _ in node.items:
        if isinstance(key, Scalar) and key.text not in known and key.kind != "alias" and key.text != "<<":
            title = f"`{_shown(key.text)}` is no key of {where}"
            yield key.line, "major", title, f"GitHub refuses the file. {_perhaps(key.text, known)}".rstrip()


def _twice(node: YamlNode) -> Iterator[ExpressionFault]:
    """Keys that stand in one mapping again, anywhere below."""
    if isinstance(node, Mapping):
        seen: set[str] = set()
        for key, value in node.items:
            if isinstance(key, Scalar) and key.text in seen:
                yield key.line, "major", f"`{_shown(key.text)}` stands here twice", "GitHub refuses the file."
            elif isinstance(key, Scalar):
                seen.add(key.text)
            yield from _twice(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _twice(item)


def _key(node: Mapping, name: str) -> Scalar | None:
    return next((key for key, _ in node.items if isinstance(key, Scalar) and key.text == name), None)


def _get(node: Mapping, name: str) -> YamlNode | None:
    return next((value for key, value in node.items if isinstance(key, Scalar) and key.text == name), None)


def _scalars(node: YamlNode | None) -> Iterator[Scalar]:
    parts = node.items if isinstance(node, Sequence) else (node,)
    yield from (part for part in parts if isinstance(part, Scalar) and part.kind != "alias")


def _shown(text: str) -> str:
    return text[:60].replace("`", "'").replace("\n", " ")


def _perhaps(name: str, known: frozenset[str] | set[str]) -> str:
    near = difflib.get_close_matches(name[:60], sorted(known), n=1)
    return f"Is `{_shown(near[0])}` meant?" if near else ""
