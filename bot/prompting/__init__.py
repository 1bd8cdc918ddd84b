"""What Hob says to models: prompts (`prompts/*.md`), agents (`prompts/agents/*.md`), chains
(`prompts/chains/*.toml`) and recipes (`prompts/recipes/*.md`)."""

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
from bot.prompting.finding import FOLDER, names, recipes

__all__ = [
    "FOLDER",
    "PromptError",
    "load",
    "load_chain",
    "load_persona",
    "names",
    "new_fence",
    "parse",
    "recipes",
    "render",
    "rendered",
    "used_names",
]
