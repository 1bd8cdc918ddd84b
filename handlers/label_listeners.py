"""Which labels the workflows of a repository act on, as far as their texts tell. Each is read in one pass:
whoever may write workflows is trusted, so what is not certain counts as acted on."""

import re
from collections.abc import Iterable, Mapping

from bot import yamlnodes
from bot.context import Context
from bot.core.facts import RepoContext
from bot.core.folding import folded
from bot.core.labels import ANY

_COMMENT = re.compile(r"^\s{0,200}#.*$", re.MULTILINE)
_LISTENS = re.compile(
    r"\b(?:un)?labeled\b|event\s?\.[^\n]{0,100}label|\blabels?\s?(?:\.|\[)|--label\b|\bif\s?:[^\n]{0,2000}label"
)
_PART_OF = re.compile(
    r"(?:contains|startswith|endswith)\s?\([^()'\n]{0,200}label[^()'\n]{0,200},\s?'([^'\n]{1,100})'"
)
_TYPED = re.compile(r"\b(?:un)?typed\b")
_WORD = re.compile(r"\w")


async def labels_heard(ctx: Context, context: RepoContext) -> dict[str, str]:
    """`listened_to` on the default branch; nothing is read where the settings name the labels or none
    exists."""
    if context.settings.issues.labels or not context.labels:
        return {}
    workflows = await ctx.github.workflows(ctx.repo.default_branch)
    return listened_to(workflows, [name for name, _ in context.labels])


def listened_to(workflows: Mapping[str, str], existing: Iterable[str]) -> dict[str, str]:
    """The workflow by the folded name of the label that it acts on; by `ANY` one that starts whatever the
    label of an issue is."""
    names = {folded(name) for name in existing}
    heard: dict[str, str] = {}
    for path, text in workflows.items():
        said = _COMMENT.sub("", text).casefold()
        if not _LISTENS.search(said):
            continue
        parts = set(_PART_OF.findall(said))
        named = {name for name in names if _stands_in(name, said) or any(part in name for part in parts)}
        if not named and not parts and _starts_with_any(text):
            named = {ANY}
        heard = dict.fromkeys(named, path) | heard
    return heard


def hears_types(workflows: Mapping[str, str]) -> bool:
    """Whether one of them may start where an issue is given a type."""
    return any(_TYPED.search(_COMMENT.sub("", text).casefold()) for text in workflows.values())


def _stands_in(name: str, text: str) -> bool:
    """Whether a label's name stands somewhere as a whole."""
    at = text.find(name) if name else -1
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (_WORD.match(before) or _WORD.match(after) or before in ("-", "/") or after in ("-", "/")):
            return True
        at = text.find(name, at + len(name))
    return False


def _starts_with_any(text: str) -> bool:
    """Whether `issues: types: [labeled]` starts it; so it is where the file cannot be read as YAML."""
    try:
        tree = yamlnodes.read(text, aliases=True)
    except yamlnodes.UnreadableError:
        return True
    types = _get(_get(_get(tree, "on"), "issues"), "types")
    items = types.items if isinstance(types, yamlnodes.Sequence) else (types,)
    return any(isinstance(one, yamlnodes.Scalar) and one.text == "labeled" for one in items)


def _get(node: yamlnodes.YamlNode | None, name: str) -> yamlnodes.YamlNode | None:
    if not isinstance(node, yamlnodes.Mapping):
        return None
    return next((v for k, v in node.items if isinstance(k, yamlnodes.Scalar) and k.text == name), None)
