"""From what a model said to calls of tools, as sloppily as models call them: in the text instead of beside
it, under a name that is nearly right, with arguments that are called otherwise. What is plain is mended; what
is not is told in words, for the model to say again. Only what was offered can be called.

qwen2.5-coder, the default, writes bare JSON: https://github.com/ollama/ollama/issues/12174
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Generic

from bot.core.inference import Prompt, T, Tool, ToolCall
from bot.inference.lenient_json import MISFIT, Bending
from bot.inference.runners import Reply
from bot.inference.runners.tools import MOST_CALLS, MOST_CHARS, bare, call, meant
from bot.inference.structured_output import understood, unthought

_NAMES = ("name", "tool", "tool_name", "function_name", "function", "action", "recipient_name")
_ARGUMENTS = (
    *("arguments", "args", "parameters", "params", "input", "tool_input", "tool_args", "action_input"),
    "kwargs",
)
_LISTS = ("tool_calls", "tool_uses", "function_calls", "calls", "tools")
_MOST_BROKEN = 30
"""Braces that begin no object: each costs a look at all that follows."""
_MOST_FIELDS = 40
_BEFORE = 100
"""Characters before an object in which its tool may be named."""
_BETWEEN = frozenset({"args", "arguments", "parameters", "json", "sep", "tool", "input", "function"})
_WORD = re.compile(r"[\w-]+")
_TAG = re.compile(r"<(?:function=|invoke name=|tool name=|function name=)?[\"']?([\w.-]{1,64})[\"']?\s{0,4}>")
_FIELD = re.compile(
    r"<(?:parameter=|parameter name=|arg name=|param name=)?[\"']?([\w.-]{1,64})[\"']?\s{0,4}>"
)
_LINE = re.compile(r"^[^\w\n]{0,8}(?:print\()?([\w.]{1,64})\((.{0,2000})\)[^\w\n]{0,8}$", re.MULTILINE)
_decoder = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class UnderstoodReply(Generic[T]):
    """A value and how many items of its lists were left out, or calls, of which one at least is good."""

    value: T | None = None
    dropped: int = 0
    calls: tuple[ToolCall, ...] = ()


def understood_reply(prompt: Prompt[T], reply: Reply) -> UnderstoodReply[T]:
    """What was said; ValueError says what is wrong with it."""
    if prompt.tools:
        told = reply.tool_calls or tuple(called_in(reply.text, prompt.tools))
        calls = tuple(fitted_call(each, prompt.tools) for each in told[:MOST_CALLS])
        if any(not each.wrong for each in calls):
            return UnderstoodReply(calls=calls)
        if calls and not (reply.text.strip() and prompt.answer.model_json_schema()):
            raise _wrong(calls)
    try:
        value, dropped = understood(prompt.answer, reply.text, whole=reply.complete)
    except ValueError:
        if prompt.tools and calls:
            raise _wrong(calls) from None
        raise
    return UnderstoodReply(value, dropped)


def _wrong(calls: Sequence[ToolCall]) -> ValueError:
    return ValueError(
        "; ".join(f"{each.name[:60] or 'a call without a name'}: {each.wrong}" for each in calls[:5])
    )


def fitted_call(one: ToolCall, tools: Sequence[Tool]) -> ToolCall:
    """The call with arguments as its tool's schema has them, others left out; or with what is wrong."""
    tool = next((each for each in tools if each.name == one.name), None)
    if one.wrong or tool is None:
        return one if one.wrong else replace(one, arguments={}, wrong="there is no such tool")
    properties = tool.parameters.get("properties", {})
    given = _renamed(_unwrapped(one.arguments, properties), tool.parameters)
    bent = Bending(tool.parameters).bend(given) if properties else {}
    if bent is MISFIT:
        return replace(one, arguments={}, wrong="; ".join(_lacks(given, tool.parameters)))
    return replace(one, arguments=bent)


def _unwrapped(arguments: dict[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Without one object around all of them."""
    inner = list(arguments.values())
    if len(inner) == 1 and isinstance(inner[0], dict) and not set(arguments) & set(properties):
        return inner[0]
    return arguments


def _renamed(arguments: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """What is called otherwise by its own name, where only one can be meant: `file_path` is `path`; the one
    that is left over is the one that is missing."""
    known = {bare(name): name for name in schema.get("properties", {})}
    named = {known.get(bare(key), key): value for key, value in arguments.items()}
    for key in [key for key in named if key not in known.values()]:
        free = [own for short, own in known.items() if own not in named and _akin(bare(key), short)]
        if len(free) == 1:
            named[free[0]] = named.pop(key)
    unknown = [key for key in named if key not in known.values()]
    missing = [name for name in schema.get("required", ()) if name not in named]
    if len(unknown) == 1 and len(missing) == 1:
        named[missing[0]] = named.pop(unknown[0])
    return named


def _akin(longer: str, short: str) -> bool:
    return longer.startswith(short) or longer.endswith(short)


def _lacks(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """What its arguments are wanting in."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        kind = properties[name].get("type", "value")
        if name not in arguments:
            yield f"{name} ({kind}) is missing"
        elif (
            Bending({"type": "object", "properties": {name: properties[name]}, "required": [name]}).bend(
                {name: arguments[name]}
            )
            is MISFIT
        ):
            yield f"{name} is no {kind}"


def called_in(text: str, tools: Sequence[Tool]) -> Iterator[ToolCall]:
    """The calls that a text holds: JSON or tags outside of any other object, or a line that is a call."""
    text = unthought(text)
    if len(text) > MOST_CHARS:
        return
    names = {tool.name for tool in tools}
    spans = list(_objects(text))
    found = list(_tagged(text, spans, names)) or list(_written(text, spans, names))
    found = found or list(_spoken(text, spans, tools))
    for name, arguments in found[:MOST_CALLS]:
        yield call(name, arguments, names)


_Span = tuple[int, int, Any]


def _objects(text: str) -> Iterator[_Span]:
    """(start, end, value) of each JSON object that lies within no other."""
    at, broken = text.find("{"), 0
    while at >= 0 and broken < _MOST_BROKEN:
        try:
            value, end = _decoder.raw_decode(text, at)
            yield at, end, value
        except (ValueError, RecursionError):
            broken, end = broken + 1, at + 1
        at = text.find("{", end)


def _written(text: str, spans: Sequence[_Span], names: set[str]) -> Iterator[tuple[str, Any]]:
    """(name, arguments) of objects that are calls, or that follow the name of a tool."""
    last = 0
    for start, end, value in spans:
        inner = list(_shaped(value, names))
        if not inner and (name := _named_before(text[max(last, start - _BEFORE) : start], names)):
            inner = [(name, value)]
        yield from inner
        last = end


def _shaped(value: Any, names: set[str], depth: int = 3) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not depth:
        return
    if several := next((value[key] for key in _LISTS if isinstance(value.get(key), list)), None):
        for each in several[:MOST_CALLS]:
            yield from _shaped(each, names, depth - 1)
        return
    if isinstance(value.get("function"), dict):
        yield from _shaped(value["function"], names, depth - 1)
        return
    for key in _NAMES:
        name = value.get(key)
        if isinstance(name, str) and (meant(name, names) or _is_call(value, key)):
            given = next((value[one] for one in _ARGUMENTS if one in value and one != key), None)
            yield name, {one: it for one, it in value.items() if one != key} if given is None else given
            return
    if len(value) == 1 and (only := str(next(iter(value)))) in names:
        yield only, value[only]


def _is_call(value: Mapping[str, Any], key: str) -> bool:
    """Whether an object that names no tool that there is was still meant as a call."""
    return key in ("name", "tool", "function") and set(value) - {key, "id", "type"} in (
        {"arguments"},
        {"parameters"},
    )


def _named_before(text: str, names: set[str]) -> str:
    """The tool that is the last word before an object, but for what stands between them in some formats."""
    words: list[str] = _WORD.findall(text)
    for word in reversed(words):
        if word in names:
            return word
        if word.casefold() not in _BETWEEN:
            break
    return ""


def _tagged(text: str, spans: Sequence[_Span], names: set[str]) -> Iterator[tuple[str, Any]]:
    """`<function=NAME><parameter=KEY>VALUE</parameter></function>` and its kin."""
    inside = iter(sorted((start, end) for start, end, _ in spans))
    span = next(inside, None)
    opened: list[tuple[str, int, int]] = []
    for tag in _TAG.finditer(text):
        while span and span[1] <= tag.start():
            span = next(inside, None)
        within = span is not None and span[0] <= tag.start()
        if not within and tag[1] in names:
            opened.append((tag[1], tag.start(), tag.end()))
    for number, (name, _, begin) in enumerate(opened[:MOST_CALLS]):
        end = opened[number + 1][1] if number + 1 < len(opened) else len(text)
        if arguments := _fields(text[begin:end]):
            yield name, arguments


def _fields(body: str) -> dict[str, str]:
    """KEY -> VALUE; a value ends at the last closing tag before the next key."""
    found: dict[str, str] = {}
    tags = list(islice(_FIELD.finditer(body), _MOST_FIELDS))
    at = 0
    for number, tag in enumerate(tags):
        if tag.start() < at:
            continue  # within a value
        end = tags[number + 1].start() if number + 1 < len(tags) else len(body)
        for close in (f"</{tag[1]}>", "</parameter>", "</arg>", "</param>"):
            stop = body.find(close, tag.end())
            if stop >= 0:
                end = stop
                break
        found.setdefault(tag[1], body[tag.end() : end].removeprefix("\n").removesuffix("\n"))
        at = end
    return found


def _spoken(text: str, spans: Sequence[_Span], tools: Sequence[Tool]) -> Iterator[tuple[str, Any]]:
    """A line that is `NAME(key="value")`."""
    orders = {tool.name: list(tool.parameters.get("properties", {})) for tool in tools}
    for line in _LINE.finditer(text):
        name = line[1].rpartition(".")[2]
        if name not in orders or any(start <= line.start() < end for start, end, _ in spans):
            continue
        try:
            made = ast.parse(
                f"f({line[2].rstrip(')') if line[0].count('(') > 1 else line[2]})", mode="eval"
            ).body
            if isinstance(made, ast.Call) and all(key.arg for key in made.keywords):
                given = dict(zip(orders[name], map(ast.literal_eval, made.args), strict=False))
                yield name, {**given, **{str(key.arg): ast.literal_eval(key.value) for key in made.keywords}}
        except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
            continue
