"""What the tables of hob.toml are made of."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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
