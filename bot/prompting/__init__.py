"""What Hob says to models: prompts (`prompts/*.md`), agents (`prompts/agents/*.md`) and chains
(`prompts/chains/*.toml`)."""

from bot.prompting.chains import load_chain
from bot.prompting.files import (
    PromptError,
    load,
    load_persona,
    new_fence,
    parse,
    render,
    rendered,
    used_names,
)
from bot.prompting.finding import FOLDER, names

__all__ = [
    "FOLDER",
    "PromptError",
    "load",
    "load_chain",
    "load_persona",
    "names",
    "new_fence",
    "parse",
    "render",
    "rendered",
    "used_names",
]
