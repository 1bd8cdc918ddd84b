"""What a server has been found to refuse or to ignore, by model, so that it is asked in a way it can answer.

"OpenAI-compatible" servers differ in what they take. A request begins with everything; what is refused with
a 400 or 422 is left out of the next try and, when that goes well, for good. So is a schema under which a
model says nothing, where it has words without it.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.core.inference import Tool
from bot.inference.runners import Reply
from bot.inference.runners.wire import HostRefused
from bot.inference.structured_output import bare, unthought

SCHEMA = "schema"
"""The feature for which there is another way: the schema in the prompt."""
MOST_TRIES = 5


class ServerQuirks:
    """What each model of one host takes. `features`: for each that may be left out, the words by which a
    refusal means it. `about_form`: whether a refusal can be about the form of the request at all."""

    def __init__(self, features: Mapping[str, str], about_form: Callable[[HostRefused], bool]) -> None:
        self._about_form = about_form
        self._features = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in features.items()}
        self._refused: dict[str, frozenset[str]] = {}
        self._ignoring: set[str] = set()
        self._silent: set[str] = set()

    async def ask(
        self, model: str, schema: dict[str, Any], once: Callable[[frozenset[str], bool], Awaitable[Reply]]
    ) -> Reply:
        """The answer to `once(features to leave out, schema in the prompt too?)`, tried anew without what is
        refused; `Refused` when nothing more can be left out, and what `once` raises."""
        without = self._refused.get(model, frozenset())
        if schema and model in self._silent:
            without |= {SCHEMA}
        for _ in range(MOST_TRIES):
            told = SCHEMA in without or model in self._ignoring
            try:
                reply = await once(without, told)
            except HostRefused as refused:
                if (feature := self._meant(refused, without)) is None:
                    raise
                without |= {feature}
            else:
                if not self._falls_silent(model, schema, without, reply):
                    self._refused[model] = without
                self._note(model, schema, reply)
                return reply
        raise HostRefused(400, "it refuses every form of the request")

    def _falls_silent(
        self, model: str, schema: dict[str, Any], without: frozenset[str], reply: Reply
    ) -> bool:
        """Whether it had no word. One that had none under a schema is asked without the next time, and from
        then on if it has words then."""
        blank = reply.complete and not reply.tool_calls and not unthought(reply.text)
        if blank and schema and SCHEMA not in without:
            self._silent.add(model)
        elif schema:
            self._silent.discard(model)
        return blank

    def _meant(self, refused: HostRefused, without: frozenset[str]) -> str | None:
        """The feature that a refusal is about; where it names none, the schema, which servers refuse in many
        words."""
        if refused.status not in {400, 422, 500} or not self._about_form(refused):
            return None
        left = [name for name in self._features if name not in without]
        named = [name for name in left if self._features[name].search(refused.text)]
        if refused.status == 500:  # a grammar that cannot be made is a fault of its own to some
            return next(iter(named), None)
        return next(iter([*named, *(name for name in left if name == SCHEMA)]), None)

    def _note(self, model: str, schema: dict[str, Any], reply: Reply) -> None:
        """Remembers a model that was given a schema and does not follow it."""
        if schema and reply.complete and not reply.tool_calls and not _follows(schema, reply.text):
            self._ignoring.add(model)


def in_prompt(system: str, schema: dict[str, Any], tools: Sequence[Tool] = ()) -> str:
    """The instruction with the schema in words, and the tools, for hosts that cannot hold a model to it or do
    not show them."""
    rule = (
        "nswer with one JSON object and nothing else: no words around it, no code fence. "
        f"It must match this JSON schema:\n{json.dumps(schema, separators=(',', ':'))}"
    )
    if not tools:
        return f"{system}\n\nA{rule}"
    listed = "\n".join(json.dumps(asdict(each), ensure_ascii=False) for each in tools)
    return (
        f"{system}\n\nTo call a tool, write one JSON object and nothing else: "
        f'{{"name": "…", "arguments": {{…}}}}. The tools:\n{listed}\nWhen you need none any more, a{rule}'
    )


def _follows(schema: dict[str, Any], text: str) -> bool:
    try:
        value = json.loads(bare(text))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and all(name in value for name in schema.get("required", ()))
