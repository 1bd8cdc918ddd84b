"""What the tables of hob.toml are made of."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_no_plugins: Any = ModuleType("pydantic.plugin._loader")
_no_plugins.get_plugins = tuple
# pydantic would look for plugins in all that is installed: a tenth of a command's start, for none.
sys.modules.setdefault(_no_plugins.__name__, _no_plugins)


def as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def one_or_list(value: object) -> object:
    return (value,) if isinstance(value, str) else as_tuple(value)


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) and value else None if value == "" else value


FilePath = Annotated[Path, BeforeValidator(_path)]
NameList = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class ConfigTable(BaseModel):
    """One table of hob.toml."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )
    """No number is without end: JSON, which pages and programs are told them in, has none such."""
