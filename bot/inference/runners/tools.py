"""Tools on the wire: how they are offered, and the calls that come back, whatever a model made of them.

Ollama and OpenAI offer tools alike; a call's arguments are an object to Ollama, and to OpenAI text in pieces.
https://docs.ollama.com/capabilities/tool-calling https://platform.openai.com/docs/guides/function-calling
"""

import json
from collections.abc import Sequence
from typing import Any, Never

from bot.inference.runners import ChatRequest, Reply, Tool, ToolCall
from bot.inference.runners.streams import Speech, dict_of, text_of

MOST_CALLS = 32
"""Of one answer; more are a model that repeats itself."""
DEEPEST = 20
"""Levels of arguments: deeper ones are nobody's, and a burden to whoever walks through them."""
MOST_CHARS = 200_000
_NAME_CHARS = 200


def offered(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The `tools` of a request."""
    return [
        {
            "type": "function",
            "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
        }
        for each in tools
    ]


class ToolCallCollector:
    """The calls of one answer as they come: whole ones, or pieces that belong together by `index`."""

    def __init__(self) -> None:
        self._whole: list[tuple[str, object]] = []
        self._pieces: dict[int, tuple[str, list[str]]] = {}

    def hear(self, message: dict[str, Any], speech: Speech) -> None:
        """The `tool_calls` of a message or of a piece of one; a call is a word as far as deadlines go."""
        told = message.get("tool_calls")
        for each in told if isinstance(told, list) else ():
            speech.waiter.token()
            function = dict_of(each, "function")
            name, arguments = text_of(function, "name"), function.get("arguments")
            index = each.get("index") if isinstance(each, dict) else None
            if isinstance(index, int) and not isinstance(arguments, dict):
                self._piece(index, name, arguments)
            elif len(self._whole) < MOST_CALLS:
                self._whole.append((name, arguments))

    def _piece(self, index: int, name: str, arguments: object) -> None:
        if index in self._pieces or len(self._pieces) < MOST_CALLS:
            known, texts = self._pieces.setdefault(index, (name, []))
            self._pieces[index] = (known or name, texts)
            if arguments is not None:
                texts.append(arguments if isinstance(arguments, str) else "\0")  # no JSON: it is told as such

    def of(self, request: ChatRequest, reply: Reply) -> tuple[ToolCall, ...]:
        """All calls of an answer, in their order."""
        pieces = [(name, "".join(texts)) for _, (name, texts) in sorted(self._pieces.items())]
        names = {tool.name for tool in request.tools}
        return tuple(
            _call(name, arguments, names, reply.complete) for name, arguments in (*self._whole, *pieces)
        )


def _call(name: str, arguments: object, names: set[str], complete: bool) -> ToolCall:
    name = name[:_NAME_CHARS]
    if name not in names:
        return ToolCall(name, wrong="there is no such tool")
    try:
        return ToolCall(name, _object(arguments))
    except (ValueError, RecursionError) as error:
        why = str(error) if complete else "the answer ended within its arguments"
        return ToolCall(name, wrong=why)


def _object(arguments: object) -> dict[str, Any]:
    """The arguments as an object; none at all are an empty one. `ValueError` says what is wrong."""
    value = arguments
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        if len(value) > MOST_CHARS:
            raise ValueError("its arguments are too long")
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise ValueError("its arguments are no JSON") from None
    if not isinstance(value, dict):
        raise ValueError("its arguments are no object")  # noqa: TRY004  text of a model, not a type of ours
    if not _shallow(value, DEEPEST):
        raise ValueError("its arguments are nested too deep")
    return value


def _shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    return levels > 0 and all(
        _shallow(each, levels - 1) for each in (value.values() if isinstance(value, dict) else value)
    )


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")
