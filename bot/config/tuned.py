"""The adapters that `[models] tuned` switches on: each is there, was better than its base model, and has
a host that can use it."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

from bot.core.adapter_records import AdapterRecord, record_of
from bot.core.adapters import Adapter, adapter_name
from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.core.tuning import TUNE, folder_name
from bot.paths import read_file

log = logging.getLogger(__name__)

MLX = "mlx"
"""The kind of host that has adapters."""
ADAPTERS, RECORD, WEIGHTS = "adapters", "adapter.json", "adapters.safetensors"
OFF = "switch it off (`hob tune off OWNER/REPO`), or take it out of `tuned` in [models]"
MOST_BYTES = 16 << 20


def read_record(place: Path) -> AdapterRecord:
    """Of the folder of an adapter; OSError where it has none, ValueError where that cannot be read."""
    return record_of(read_file(place / RECORD, MOST_BYTES).decode())


def weights_digest(place: Path) -> str:
    """SHA-256 of an adapter's weights; OSError where it has none."""
    with (place / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def switched_on(
    names: Sequence[str], review: Sequence[str], hosts: Sequence[Host], data_dir: Path
) -> tuple[Adapter, ...]:
    """ConfigError for the first that may not be used. `review`: the models of that role. One that is gone
    with all of its repository is left out and told of: others decide when its access ends, and that shall
    keep no Hob from starting."""
    bases = {name.partition("@")[0] for name in review}
    found: list[Adapter] = []
    lost = gone(names, data_dir)
    for name in lost:
        log.warning("%s; its base model is asked. %s", gone_words(name), OFF)
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


def gone(names: Sequence[str], data_dir: Path) -> list[str]:
    """Those whose repository was purged, or ended its access: nothing of it is there."""
    told = ((name, adapter_name(name)) for name in names)
    return [name for name, one in told if one and not (data_dir / TUNE / one.folder).is_dir()]


def gone_words(name: str) -> str:
    return f"[models] tuned: {name} was purged with its repository, or that ended its access"


def usable(name: str, data_dir: Path) -> Adapter:
    """The adapter of this name; ConfigError where it is not there, was refused, or is another's."""
    told = adapter_name(name)
    if told is None:
        raise ConfigError(f"{name[:80]!r} is no name of an adapter", "`hob tune list` shows them")
    place = data_dir / TUNE / told.folder / ADAPTERS / told.digest
    try:
        record = read_record(place)
    except FileNotFoundError:
        raise ConfigError(f"[models] tuned: there is no adapter {name}", OFF) from None
    except (OSError, ValueError) as wrong:
        raise ConfigError(f"[models] tuned: {place / RECORD} cannot be read: {wrong}", OFF) from None
    if record.name != name or folder_name(record.repository) != told.folder:
        raise ConfigError(
            f"[models] tuned: what lies in the place of {name} is {record.name[:200]}, another's", OFF
        )
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
