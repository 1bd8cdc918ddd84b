"""The issue forms of a repository, read field by field. What cannot be read is no form.

https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms
"""

from bot import yamlnodes
from bot.core.issue_forms import FormField, IssueForm
from bot.github.payloads import clean
from bot.yamlnodes import Mapping, Scalar, Sequence, UnreadableError, YamlNode

MOST_FIELDS = 60
_ASKS = frozenset({"input", "textarea", "dropdown", "checkboxes", "upload"})


def form(text: str) -> IssueForm | None:
    """None for what is no form."""
    try:
        tree = yamlnodes.read(text, aliases=True)
    except UnreadableError:
        return None
    body = _get(tree, "body")
    listed = body.items if isinstance(body, Sequence) else ()
    fields = [one for item in listed[:MOST_FIELDS] if (one := _field(item))]
    return IssueForm(_text(_get(tree, "name")), tuple(fields)) if fields else None


def _field(item: YamlNode) -> FormField | None:
    kind = _text(_get(item, "type"))
    attributes = _get(item, "attributes")
    label = " ".join(_text(_get(attributes, "label")).split())[:300]
    if kind not in _ASKS or not label:
        return None
    required = _true(_get(_get(item, "validations"), "required"))
    options = _get(attributes, "options")
    if kind == "checkboxes" and isinstance(options, Sequence):
        required = required or any(_true(_get(one, "required")) for one in options.items)
    return FormField(label, required, kind)


def _get(node: YamlNode | None, name: str) -> YamlNode | None:
    if not isinstance(node, Mapping):
        return None
    return next((value for key, value in node.items if isinstance(key, Scalar) and key.text == name), None)


def _text(node: YamlNode | None) -> str:
    return clean(node.text) if isinstance(node, Scalar) else ""


def _true(node: YamlNode | None) -> bool:
    return isinstance(node, Scalar) and node.kind == "bool" and node.text.casefold() == "true"
