"""What Hob says to models: prompts (`prompts/*.md`), personas of agents (`prompts/agents/*.md`) and chains
(`prompts/chains/*.toml`)."""

from bot.prompting.chains import load_chain
from bot.prompting.files import FOLDER, PromptError, load, new_fence, parse, render, used_names
from bot.prompting.finding import names
from bot.prompting.personas import load_persona
from bot.prompting.talks import TalkFile

__all__ = [
    "FOLDER",
    "PromptError",
    "TalkFile",
    "load",
    "load_chain",
    "load_persona",
    "names",
    "new_fence",
    "parse",
    "render",
    "used_names",
]
