"""Ollama's answer, line by line, within deadlines and a cap. https://docs.ollama.com/api/streaming"""

import re
from dataclasses import replace
from typing import Any

from bot.http import Response
from bot.inference.runners import (
    Broken,
    ChatRequest,
    ModelMissing,
    Reply,
    RunnerError,
    TooLong,
    Unsupported,
    wire,
)
from bot.inference.runners.streams import Speech, count_of, dict_of, json_object, lines, text_of
from bot.inference.runners.tools import Calls
from bot.inference.runners.wire import Refused

_TOO_LONG = re.compile(
    r"context (?:length|size|window)|exceeds? the (?:available|model)|input length|too long", re.I
)
_NUMBERS = re.compile(r"(?<![\d,])(\d[\d,]{0,15}) ?tokens?\b")
_NANO = 1e-9


def refusal(refused: Refused) -> RunnerError:
    """The error that a status other than 200 stands for."""
    if refused.status == 404 and "model" in refused.text:
        return ModelMissing(f"it does not have the model ({refused.text})")
    return error_of(refused.text) if refused.status == 400 else wire.refusal(refused)


def error_of(text: str) -> RunnerError:
    """The error that Ollama's words stand for, in a refusal or in the middle of a stream."""
    if "does not support tools" in text:
        return Unsupported("its model has no tools")
    if not _TOO_LONG.search(text):
        return Broken(f"it answered with an error: {text}")
    counts = [int(number.replace(",", "")) for number in _NUMBERS.findall(text)]
    sent, limit = counts[:2] if len(counts) == 2 else (None, None)
    return TooLong("the prompt is longer than it reads", sent, limit)


async def listen(response: Response, speech: Speech, request: ChatRequest) -> Reply:
    """The whole answer; `RunnerError`."""
    calls = Calls()
    async for sent in lines(response):
        if not sent.strip():
            continue
        line = object_of(sent)
        said = dict_of(line, "message")
        speech.says(text_of(said, "content"), text_of(said, "thinking"))
        calls.hear(said, speech)
        if line.get("done") is True:
            reply = speech.reply(
                tokens_in=count_of(line, "prompt_eval_count"),
                tokens_out=count_of(line, "eval_count"),
                complete=line.get("done_reason") != "length",
                load_seconds=count_of(line, "load_duration") * _NANO,
            )
            return replace(reply, tool_calls=calls.of(request, reply))
    raise Broken("the answer ended in the middle")


def object_of(line: bytes) -> dict[str, Any]:
    """One line's object; `RunnerError`, which a line may say too."""
    value = json_object(line, "Ollama's")
    if error := value.get("error"):
        raise error_of(str(error)[:300])
    return value
