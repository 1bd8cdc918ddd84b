"""What a file has a person or a machine install from elsewhere without saying exactly what: by a hash, a
digest or a commit. Read by lines, with `\\` at their ends joined, up to the next `;`, `&` or `|`."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ARGUMENTS = r"(?P<arguments>[^\n;&|`]*)"
PIP = re.compile(
    r"(?:\bpip3?(?:\.\d+)?|\$\(PIP\)|\$PIP|-m pip|\buv pip)['\"]?(?: --?\S+(?: /\S+)?)* "
    rf"(?:install|sync|download|wheel)\b{ARGUMENTS}"
)
LOCAL = re.compile(r"""(?:\.|\./|\.\./|/|"?\$\w|dist/)\S*|[^\s:]+\.whl""")
VALUED = {
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-d",
    "--dest",
    "--target",
    "--prefix",
    "--root",
    "--python",
}
"""Options of pip whose value is the next word."""
NEVER = re.compile(
    r"\b(?:pipx (?:install|run)|uvx \S|uv (?:tool|add|run --with)|easy_install|conda install|"
    r"npx(?: -\S+)* \S|bunx \S|"
    r"(?:npm|pnpm|yarn|bun) (?:install|i|add|exec|dlx|create|init) (?!--package-lock-only)\S|"
    r"go install \S+@|cargo install|gem install|docker pull (?!\S+@))"
    r"|\b(?:curl|wget)\b[^\n;&`]*\|\s*(?:sudo )?(?:ba|da|z)?(?:sh|python3?|node)\b"
    r"|(?:ba|z)?sh <\(\s*curl|(?:ba|z)?sh -c \"\$\((?:curl|wget)"
)
"""No way of saying a hash, or none that is said here."""
DIGEST = r"@(?:sha256:[0-9a-f]{64}|\$\{\w+_DIGEST(?::\?[^}]*)?\})"
FROM = re.compile(r"^FROM (?:--\S+ )*(?P<image>\S+)(?: AS (?P<stage>\S+))?", re.MULTILINE)
IMAGE = re.compile(r"^\s*(?:- )?image: *[\"']?(?P<image>[^\"'#\n]*[^\s\"'#])", re.MULTILINE)
USES = re.compile(r"^\s*(?:- )?uses: *[\"']?(?P<action>[^\s\"'#]+)", re.MULTILINE)
OWN_IMAGES = ("hobbot",)
"""Built here, never fetched."""


def files() -> list[Path]:
    """All that says how something is installed: what is run, what people read, what Hob itself says."""
    folders = [
        path
        for name in (".ci", ".github", "deploy", "docs", "bot", "handlers")
        for path in ROOT.glob(f"{name}/**/*")
    ]
    top = [path for path in ROOT.iterdir() if path.name not in {"CHANGELOG.md", "LICENSE"}]
    kept = {
        "",
        ".md",
        ".py",
        ".sh",
        ".yml",
        ".yaml",
        ".toml",
        ".plist",
        ".service",
        ".conf",
        ".json",
        ".example",
    }
    return sorted(
        path
        for path in {*folders, *top}
        if path.is_file() and path.suffix in kept and not path.name.startswith("requirements")
    )


def unpinned(text: str, python: bool = False) -> list[str]:
    """What is fetched without a hash, in the words of the text; in `python`, what it tells people."""
    if python and not re.search(r"\b(?:pip|uv|npm|npx|curl|wget|go|cargo|gem|conda|docker) ", text):
        return []
    text = re.sub(r"\\\n\s*", " ", text)
    found = [match[0].strip() for match in PIP.finditer(text) if not _held(match["arguments"])]
    found += [match[0].strip() for match in NEVER.finditer(text)]
    if python:
        return found
    stages = {match["stage"] for match in FROM.finditer(text)}
    images = [match["image"] for match in FROM.finditer(text) if match["image"] not in stages]
    images += [match["image"] for match in IMAGE.finditer(text) if match["image"] not in OWN_IMAGES]
    found += [image for image in images if image != "scratch" and not re.search(rf"{DIGEST}\Z", image)]
    actions = [match["action"] for match in USES.finditer(text) if not match["action"].startswith("./")]
    return found + [action for action in actions if not re.search(r"@(?:[0-9a-f]{40}|COMMIT)\Z", action)]


def _held(arguments: str) -> bool:
    """By hashes; or it is here already, and nothing else is fetched for it or to build it."""
    words = arguments.split()
    if "--require-hashes" in words:
        return "--no-deps" in words and any(word in words for word in ("-r", "--requirement"))
    named = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in VALUED
    ]
    built = all(word.endswith(".whl") for word in named) or "--no-build-isolation" in words
    return bool(named) and "--no-deps" in words and built and all(LOCAL.fullmatch(word) for word in named)
