"""Where personas, chains and recipes are found: a path, then the folder that `HOB_PROMPTS` names, then Hob's
own `prompts/`."""

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from bot.core.errors import UserError

FOLDER = Path(__file__).parent.parent.parent / "prompts"
MAX_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def folders() -> tuple[Path, ...]:
    """Those that are searched, a person's own first."""
    own = os.environ.get("HOB_PROMPTS", "")
    return (*((Path(own).expanduser(),) if own else ()), FOLDER)


def names(kind: str, suffix: str) -> tuple[str, ...]:
    """What there is of a kind: `names("agents", ".md")`."""
    return tuple(sorted({path.stem for folder in folders() for path in (folder / kind).glob(f"*{suffix}")}))


def find(kind: str, suffix: str, name: str) -> Path:
    """The file of that name, or the file at that path (whatever has a `/` or the suffix is one);
    UserError."""
    what = kind.removesuffix("s")
    if "/" in name or name.endswith(suffix):
        path = Path(name).expanduser()
        if not path.is_file():
            raise UserError(f"there is no {what} at {path}", f"give the path of a {suffix} file")
        return path
    places = [folder / kind / f"{name}{suffix}" for folder in folders()] if _NAME.fullmatch(name) else []
    if found := next((place for place in places if place.is_file()), None):
        return found
    known = names(kind, suffix)
    raise UserError(f"there is no {what} named {name!r}", f"{did_you_mean(name, known)}; or give a path")


def recipes() -> dict[str, str]:
    """Texts of the recipes that come with Hob, and of a person's own, by name."""
    return {name: read(find("recipes", ".md", name)) for name in names("recipes", ".md")}


def read(path: Path) -> str:
    """UserError for what is no text of a sensible length."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode()
    except OSError as wrong:
        raise UserError(f"{path} cannot be read: {wrong.strerror}", "let this user read it") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8", "save it as UTF-8") from None
    if len(raw) > MAX_BYTES:
        raise UserError(f"{path} is over {MAX_BYTES // 1024} KB", "shorten it")
    return text


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint: the nearest known name, else all of them."""
    known = tuple(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"


def refuse_unknown(where: str, given: Iterable[object], known: Iterable[str], what: str = "key") -> None:
    """UserError that names the first that nobody knows, and the nearest that is known."""
    known = tuple(known)
    for key in given:
        if key not in known:
            raise UserError(f"{where}: unknown {what} {key}", did_you_mean(str(key), known))
