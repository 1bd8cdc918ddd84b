"""Tools on the wire: how they are offered, and the calls that come back, whatever a model made of them.

Ollama and OpenAI offer tools alike; a call's arguments are an object to Ollama, and to OpenAI text in pieces.
https://docs.ollama.com/capabilities/tool-calling https://platform.openai.com/docs/guides/function-calling

Where there are tools the answer is a tool too, and no server is given a grammar: under one Ollama, vLLM and
llama.cpp never let a model call anything. https://github.com/ollama/ollama/issues/8095
https://github.com/vllm-project/vllm/issues/39929 https://github.com/ggml-org/llama.cpp/pull/25454
"""

import ast
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Never

from bot.core.inference import Tool, ToolCall
from bot.inference.runners import ChatRequest, Reply
from bot.inference.runners.streams import Speech, dict_of, text_of
from bot.inference.structured_output import depth, without_commas

MOST_CALLS = 32
"""Of one answer; more are a model that repeats itself."""
DEEPEST = 20
"""Levels of arguments: deeper ones are nobody's, and a burden to whoever walks through them."""
MOST_CHARS = 200_000
_NAME_CHARS = 200


ANSWER = "answer"
"""The tool that an answer with a schema is, beside tools."""
_ANSWERS = frozenset({"answer", "finalanswer", "submitanswer", "giveanswer"})
NONE = re.compile(
    r"support (?:\w+ )?(?:tool|function)|tool choice requires|tools? param|unsupported param\w*: '?tools|"
    r"\btools?\b.{0,40}(?:not (?:\w+ )?supported|unsupported)",
    re.IGNORECASE,
)
"""How servers say that a model has no tools, or that they were started without them."""


def tools_of(request: ChatRequest) -> tuple[Tool, ...]:
    """What may be called, the answer among it."""
    if not request.tools or not request.schema:
        return request.tools
    answer = Tool(ANSWER, "Gives the answer, when nothing more is to be called.", request.schema)
    return (*request.tools, answer)


def offered(request: ChatRequest) -> list[dict[str, Any]]:
    """The `tools` of a request."""
    return [
        {
            "type": "function",
            "function": {"name": each.name, "description": each.description, "parameters": each.parameters},
        }
        for each in tools_of(request)
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
                self.piece(index, name, arguments)
            else:
                self.whole(name, arguments)

    def piece(self, index: int, name: str, arguments: object) -> None:
        """A piece of the call of that number."""
        if index in self._pieces or len(self._pieces) < MOST_CALLS:
            known, texts = self._pieces.setdefault(index, (name, []))
            self._pieces[index] = (known or name, texts)
            if arguments is not None:
                texts.append(arguments if isinstance(arguments, str) else "\0")  # no JSON: it is told as such

    def whole(self, name: str, arguments: object) -> None:
        """A call in one piece."""
        if len(self._whole) < MOST_CALLS:
            self._whole.append((name, arguments))

    def into(self, request: ChatRequest, reply: Reply) -> Reply:
        """The reply with all calls, in their order; what the answer's tool was given becomes its text."""
        pieces = [(name, "".join(texts)) for _, (name, texts) in sorted(self._pieces.items())]
        names = {tool.name for tool in request.tools}
        answers = [given for name, given in (*self._whole, *pieces) if _is_answer(name, request)]
        calls = tuple(
            call(name, arguments, names, reply.complete)
            for name, arguments in (*self._whole, *pieces)
            if not _is_answer(name, request)
        )
        return replace(reply, text=_said(answers) or reply.text, tool_calls=calls)


def _is_answer(name: str, request: ChatRequest) -> bool:
    return bool(request.schema and request.tools) and bare(name) in _ANSWERS


def _said(answers: Iterable[object]) -> str:
    return "\n".join(each if isinstance(each, str) else json.dumps(each) for each in answers)


def call(name: str, arguments: object, names: Collection[str], complete: bool = True) -> ToolCall:
    """One call by what a model said; `complete`: whether the answer came to its end."""
    name = name[:_NAME_CHARS]
    if (known := meant(name, names)) is None:
        return ToolCall(name, wrong=f"there is no such tool; there are {', '.join(sorted(names)[:20])}")
    try:
        return ToolCall(known, _object(arguments))
    except (ValueError, RecursionError) as error:
        why = str(error) if complete else "the answer ended within its arguments"
        return ToolCall(known, wrong=why)


def meant(name: str, names: Collection[str]) -> str | None:
    """The tool of this name, however it is written (`functions.readFile`); None where there is none."""
    if name in names:
        return name
    last = bare(re.split(r"[.:/]", name.strip(" ()"))[-1])
    found = [one for one in names if last and bare(one) in (last, bare(name))]
    return found[0] if len(found) == 1 else None


def bare(name: str) -> str:
    """Without what people write names apart by."""
    return re.sub(r"[\W_]+", "", name[:_NAME_CHARS]).casefold()


def _object(arguments: object) -> dict[str, Any]:
    """The arguments as an object; none at all are an empty one. `ValueError` says what is wrong."""
    value = arguments
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        if len(value) > MOST_CHARS:
            raise ValueError("its arguments are too long")
        value = loaded(value)
        value = loaded(value) if isinstance(value, str) else value  # written as text once more
    if not isinstance(value, dict):
        raise ValueError("its arguments are no object")  # noqa: TRY004  text of a model, not a type of ours
    if not _shallow(value, DEEPEST):
        raise ValueError("its arguments are nested too deep")
    return value


_FENCED = re.compile(r"\s*```\w{0,10}\s*\n(.*?)\n\s*```\s*", re.DOTALL)
_MOST_LITERAL = 20_000


def loaded(text: str) -> Any:
    """JSON, or what can only mean one thing: in a code fence, with line ends within texts, with a comma too
    many, as Python writes it. `ValueError`."""
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    for way in (text, without_commas(text)):
        try:
            return json.loads(way, parse_constant=_no_number, strict=False)
        except (ValueError, RecursionError):
            continue
    if text.strip().startswith("{") and len(text) <= _MOST_LITERAL and depth(text) <= DEEPEST:
        try:
            return ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            pass
    raise ValueError("its arguments are no JSON")


def _shallow(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    return levels > 0 and all(
        _shallow(each, levels - 1) for each in (value.values() if isinstance(value, dict) else value)
    )


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")
