"""The adapters that `[models] tuned` switches on: each is there, was better than its base model, and has
a host that can use it."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.core.adapter_records import AdapterRecord, record_of
from bot.core.adapters import Adapter, AdapterName, adapter_name
from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.core.tuning import TUNE
from bot.paths import read_file

log = logging.getLogger(__name__)

MLX = "mlx"
"""The kind of host that has adapters."""
ADAPTERS, RECORD, WEIGHTS = "adapters", "adapter.json", "adapters.safetensors"
OFF = "switch it off (`hob tune off OWNER/REPO`), or take it out of `tuned` in [models]"
NOT_ALLOWED = "[privacy] tune does not allow that"
PRIVATE = (
    f"has learnt a private repository, and {NOT_ALLOWED}: it is deleted while `hob up` or `hob work` runs"
)
ALLOW = "write `tune = true` under [privacy] in hob.toml if that is what you want"
MOST_BYTES = 16 << 20


def read_record(place: Path) -> AdapterRecord:
    """Of the folder of an adapter; OSError where it has none, ValueError where that cannot be read."""
    return record_of(read_file(place / RECORD, MOST_BYTES).decode())


def weights_digest(place: Path) -> str:
    """SHA-256 of an adapter's weights; OSError where it has none."""
    with (place / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def switched_on(
    names: Sequence[str], review: Sequence[str], hosts: Sequence[Host], data_dir: Path, *, tune: bool
) -> tuple[Adapter, ...]:
    """ConfigError for the first that may not be used. `review`: the models of that role; `tune`:
    what learnt a private repository is allowed. Of those that are `left_out` the log tells."""
    bases = {name.partition("@")[0] for name in review}
    found: list[Adapter] = []
    lost = left_out(names, data_dir, tune=tune)
    for why in lost.values():
        log.warning("%s; its base model is asked. %s", why, OFF)
    for name in (one for one in names if one not in lost):
        adapter = usable(name, data_dir)
        if adapter.base not in bases:
            raise ConfigError(
                f"[models] tuned: {name} stands before its base model, which [models] review does not name",
                f'add "{adapter.base}" to review in [models], or {OFF}',
            )
        if any(other.repo_id == adapter.repo_id and other.base == adapter.base for other in found):
            raise ConfigError(
                f"[models] tuned: {name} is the second adapter of its repository and model", OFF
            )
        found.append(adapter)
    if found and not any(host.kind == MLX for host in hosts):
        raise ConfigError(
            f"[models] tuned: no host of kind mlx is there to use {found[0].name}",
            f'add [[hosts]] with kind = "mlx" (docs/tuning.md), or {OFF}',
        )
    return tuple(found)


def left_out(names: Sequence[str], data_dir: Path, *, tune: bool) -> dict[str, str]:
    """Those that are not asked, with why: they are not there any more, or not allowed any more. That keeps no
    Hob from starting, for what ends it may be decided elsewhere."""
    found: dict[str, str] = {}
    for name in names:
        told = adapter_name(name)
        places = list(_places(told, data_dir)) if told else []
        if told and not places:
            why = "is not there: its repository was purged or ended its access, or it was deleted"
            found[name] = f"[models] tuned: {name} {why}"
        elif not tune and any(_is_private(name, place) for place in places):
            found[name] = f"[models] tuned: {name} {PRIVATE}"
    return found


def _is_private(name: str, place: Path) -> bool:
    try:
        record = read_record(place)
    except (OSError, ValueError):
        return False
    return record.name == name and record.private


def _places(told: AdapterName, data_dir: Path) -> Iterator[Path]:
    """Folders of its digest. Whose they are, and what that was called then, their records say."""
    for record in sorted((data_dir / TUNE).glob(f"*/{ADAPTERS}/{told.digest}/{RECORD}")):
        yield record.parent


def usable(name: str, data_dir: Path) -> Adapter:
    """The adapter of this name; ConfigError where it is not there, was refused, or is another's."""
    told = adapter_name(name)
    if told is None:
        raise ConfigError(f"{name[:80]!r} is no name of an adapter", "`hob tune list` shows them")
    wrong = f"there is no adapter {name}"
    for place in _places(told, data_dir):
        try:
            record = read_record(place)
        except (OSError, ValueError) as error:
            wrong = f"{place / RECORD} cannot be read: {error}"
            continue
        if record.name == name and is_at_home(record, place):
            return _adapter(record, place)
        found = f"{record.name[:200]} of number {record.repo_id}"
        wrong = f"what lies in the place of {name} is {found}, another's"
    raise ConfigError(f"[models] tuned: {wrong}", OFF)


def is_at_home(record: AdapterRecord, place: Path) -> bool:
    """Whether it is what belongs into its folder, `NUMBER/adapters/DIGEST`."""
    return (str(record.repo_id), record.digest) == (place.parent.parent.name, place.name)


def _adapter(record: AdapterRecord, place: Path) -> Adapter:
    """ConfigError where it may not be used."""
    name = record.name
    if record.refusal:
        raise ConfigError(f"[models] tuned: {name} was refused: {record.refusal}", OFF)
    if not (place / WEIGHTS).is_file():
        raise ConfigError(f"[models] tuned: {name} has no weights ({place / WEIGHTS})", OFF)
    if record.weights and weights_digest(place) != record.weights:
        raise ConfigError(
            f"[models] tuned: the weights of {name} are not those that were tried; they may be another's",
            f"run `hob tune run {record.repository} --again`, or {OFF}",
        )
    return record.adapter(str(place))
