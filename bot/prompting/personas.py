"""`prompts/agents/NAME.md`: a system prompt in plain words, after optional YAML between `---` lines (`role`,
`temperature`, `max_tokens`)."""

import difflib
import re
from collections.abc import Callable
from typing import Any, get_args

import yaml

from bot.core.chat import Persona
from bot.core.errors import UserError
from bot.core.inference import Role
from bot.prompting.finding import find, read, refuse_unknown

_FILE = re.compile(r"(?:---\n(?P<front>.*?)\n?---\n)?(?P<system>.*)", re.DOTALL)
_KEYS = ("role", "temperature", "max_tokens")


def load_persona(name: str) -> Persona:
    """By name or by path; UserError names what is wrong with it."""
    path = find("agents", ".md", name)
    return parse_persona(path.stem, read(path), str(path))


def parse_persona(name: str, text: str, where: str) -> Persona:
    """One file's text."""
    match = _FILE.fullmatch(text.replace("\r\n", "\n"))
    if match is None or not match["system"].strip():
        raise UserError(f"{where} says nothing", "write the agent's system prompt into it")
    return Persona(name, match["system"].strip(), **_front(match["front"] or "", where))


def _front(text: str, where: str) -> dict[str, Any]:
    """The keys that are set, each checked."""
    try:
        front = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError):
        raise UserError(f"{where}: what stands between the --- lines is not YAML", "correct it") from None
    if not isinstance(front, dict):
        raise UserError(f"{where}: what stands between the --- lines are no keys", "write key: value")
    refuse_unknown(where, front, _KEYS)
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "role": (_is_role, f"one of {', '.join(get_args(Role))}, or a role of your own in [models]"),
        "temperature": (lambda value: _number(value) and 0 <= value <= 2, "a number from 0 to 2"),
        "max_tokens": (
            lambda value: _number(value) and isinstance(value, int) and value > 0,
            "a whole number of tokens over 0",
        ),
    }
    for key, value in front.items():
        fits, expected = rules[key]
        if not fits(value):
            raise UserError(f"{where}: {key} is {str(value)[:60]!r}", f"expected: {expected}")
    return front


def _is_role(value: object) -> bool:
    """A known one, or a name that is none of them misspelt."""
    known = get_args(Role)
    own = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", value)
    return value in known or bool(own and not difflib.get_close_matches(str(value), known, n=1, cutoff=0.75))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
