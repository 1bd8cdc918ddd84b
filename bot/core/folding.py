"""How names are compared that GitHub does not tell apart by their letters' case, and that people write in
settings as they read them."""

from collections.abc import Iterable

_BOT = "[bot]"


def folded(name: str) -> str:
    """A label, a repository (`owner/name`) or an archive: `Kind/Bug` is `kind/bug`."""
    return " ".join(name.split()).casefold()


def folded_login(login: str) -> str:
    """A login as people write it: `@Mona` is `mona`, `app/dependabot` (as in GitHub's search) is
    `dependabot[bot]`."""
    name = folded(login).removeprefix("@")
    app = name.removeprefix("app/")
    return name if app == name else app.removesuffix(_BOT) + _BOT


def names_login(names: Iterable[str], login: str) -> bool:
    """Whether one of `names`, from settings, means this account. `dependabot` means `dependabot[bot]` too;
    never the other way round: anybody may register an account with the name of an App."""
    meant = {folded_login(name) for name in names}
    own = folded_login(login)
    return own in meant or (own.endswith(_BOT) and own.removesuffix(_BOT) in meant)
