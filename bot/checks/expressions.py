"""`${{ … }}` in workflows: strangers' texts pasted into scripts, contexts that do not exist, ends that lack.

https://docs.github.com/en/actions/concepts/security/script-injections
"""

import re
from collections.abc import Iterator

from bot.checks import grammar
from bot.core.settings import Severity
from bot.yamlnodes import Mapping, Scalar, Sequence, YamlNode

ExpressionFault = tuple[int, Severity, str, str]
"""Line, severity, title, body."""

_EXPRESSION = re.compile(r"\$\{\{(.{0,2000}?)\}\}", re.DOTALL)
_STRING = re.compile(r"'[^']{0,2000}'")
_CONTEXT = re.compile(r"(?<![\w.\]*-])([A-Za-z_][\w-]{0,60})\s{0,3}[.\[]")
_UNTRUSTED = re.compile(
    r"\bgithub\.(?:head_ref|event\.(?:"
    + "|".join(
        re.escape(path).replace(r"\*", r"(?:\*|\d+)").replace(r"\.", r"\.") for path in grammar.UNTRUSTED
    )
    + r"))(?![\w-])"
)
_INDEX = re.compile(r"\[\s{0,3}(?:'([\w*-]{1,60})'|(\d{1,4}|\*))\s{0,3}\]")


def faults(tree: YamlNode, lines: list[str]) -> Iterator[ExpressionFault]:
    """In the whole of a workflow."""
    for scalar, script in _scalars(tree, ""):
        for found in _EXPRESSION.finditer(scalar.text):
            line = _line(lines, scalar.line, found.group())
            inside = _INDEX.sub(lambda index: f".{index[1] or index[2]}", found[1])
            inside = _STRING.sub("''", inside)
            yield from _unknown(inside, line)
            if script and (text := _UNTRUSTED.search(inside)):
                body = (
                    "Whoever writes that text writes a part of this script. "
                    "Give it through `env:` and use the variable, quoted."
                )
                yield line, "critical", f"`{text.group()}` is pasted into a script", body
        if scalar.text.count("${{") > len(_EXPRESSION.findall(scalar.text)) and len(scalar.text) < 2_000:
            yield _line(lines, scalar.line, "${{"), "major", "`${{` has no end", "`}}` is expected."


def _unknown(inside: str, line: int) -> Iterator[ExpressionFault]:
    for name in dict.fromkeys(_CONTEXT.findall(inside)):
        if name.lower() not in grammar.CONTEXTS:
            yield (
                line,
                "major",
                f"There is no context `{name}`",
                f"Known are {', '.join(sorted(grammar.CONTEXTS))}.",
            )


def _scalars(node: YamlNode, key: str, uses: str = "") -> Iterator[tuple[Scalar, bool]]:
    """Every text, and whether it is run as a script: `run`, and `script` of actions/github-script."""
    if isinstance(node, Scalar):
        yield node, key == "run" or (key == "script" and uses.startswith("actions/github-script@"))
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item, "", uses)
    else:
        yield from _below(node, uses)


def _below(node: Mapping, uses: str) -> Iterator[tuple[Scalar, bool]]:
    for key, value in node.items:
        if isinstance(key, Scalar) and key.text == "uses" and isinstance(value, Scalar):
            uses = value.text
    for key, value in node.items:
        yield from _scalars(value, key.text if isinstance(key, Scalar) else "", uses)


def _line(lines: list[str], start: int, piece: str) -> int:
    """The first line from `start` on that holds the piece, or its beginning where it has several lines."""
    first = piece.split("\n", 1)[0]
    return next((at for at in range(start, len(lines) + 1) if first in lines[at - 1]), start)
