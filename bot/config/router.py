"""Loads the router that says what this Hob does, by its dotted name, as uvicorn loads an application."""

import importlib
import sys
from pathlib import Path
from typing import Any

from bot.config.models import Config
from bot.core.errors import ConfigError

HINT = "HOB_HANDLERS is written module:name, like handlers:router"


def load_router(config: Config) -> Any:
    """What `hob.handlers` (or `HOB_HANDLERS`) names; modules in the working directory are found too."""
    name = config.hob.handlers
    module_name, colon, attribute = name.partition(":")
    if not colon or not all(part.isidentifier() for part in f"{module_name}.{attribute}".split(".")):
        raise ConfigError(f"hob.handlers is {name!r}", HINT)
    module = _import(module_name)
    value: Any = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise ConfigError(f"hob.handlers: {module_name} has no {attribute}", HINT)
        value = getattr(value, part)
    return value


def _import(name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last: nothing in the working directory may stand in for an installed module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as wrong:
        if wrong.name and (name == wrong.name or name.startswith(wrong.name + ".")):
            raise ConfigError(f"hob.handlers: there is no module {name}", HINT) from None
        raise ConfigError(
            f"hob.handlers: {name} imports {wrong.name}, which is not there", "install it"
        ) from wrong
    except Exception as wrong:
        raise ConfigError(
            f"hob.handlers: {name} cannot be imported: {wrong}", "correct it; --debug says more"
        ) from wrong
