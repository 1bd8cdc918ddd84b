"""`make docs`: the tables of docs/ that the code decides, written between their markers. What a name cannot
say, a person writes in the table's column of words, and that stays. `tests/test_docs.py` holds the pages to
this."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from bot.checks import linter
from bot.cli.mcp.tools import TOOLS
from bot.config import Config, HostTable
from bot.config.code import SuiteTable
from bot.config.schema import MEANINGS, hobtoml_schema
from bot.core.events import CommentEvent
from bot.core.hobyml_schema import hobyml_schema
from bot.core.model_choice import SIZES
from bot.core.settings import CHECKS
from bot.core.settings_merge import merge, plain
from bot.core.settings_schema import KEYS
from bot.github.manifest import EVENTS, MEANS, manifest
from bot.knowledge.search.ranking import WEIGHTS
from bot.web import model_stats
from handlers import router

ROOT = Path(__file__).parents[1]
TREE = ("bot", "handlers", "prompts")
WHO = {
    "anyone": ("anyone", "whoever can comment; on a private repository, read it"),
    "author": ("author, triage", "the pull request's author; triage and above"),
    "triage": ("triage", "triage and above"),
    "code": ("code", "as `code.allow` says, write by default; never on a fork's pull request"),
}
"""A route's `who` -> what docs/commands.md and docs/security.md say."""
HARDENING = re.compile(r"\b(?:async )?def test_((?:[A-Z]\d+_)+)")
ROWS: dict[str, tuple[str, str, str]] = tomllib.loads((ROOT / "tests" / "hardening.toml").read_text())
"""Row id -> its grade, what comes in, what Hob does."""


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` are the cells that the code decides, the first of them the row's key. `words` is the index of
    the column that people write, kept by key; None where the code says everything."""

    name: str
    page: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: int | None = None
    declared: Mapping[str, str] = field(default_factory=dict)
    """Key -> words that the code has for it; the page cannot say others."""

    def written(self, text: str) -> str:
        """The page's text with this table as it should be; `ValueError` where the page has no markers."""
        begin, end = f"<!-- make docs: {self.name} -->\n", "<!-- end -->"
        before, marker, rest = text.partition(begin)
        old, ending, after = rest.partition(end)
        if not marker or not ending:
            raise ValueError(f"docs/{self.page} has no {begin.strip()} … {end}")
        rows = "".join(f"| {' | '.join(cells)} |\n" for cells in self._with_words(old))
        head = f"| {' | '.join(self.head)} |\n|{'---|' * len(self.head)}\n"
        return before + begin + head + rows + end + after

    def wordless(self, text: str) -> list[str]:
        """Keys of rows about which the page says nothing yet."""
        _, _, rest = text.partition(f"<!-- make docs: {self.name} -->\n")
        rows = self._with_words(rest.partition("<!-- end -->")[0])
        return [row[0] for row in rows if self.words is not None and not row[self.words]]

    def _with_words(self, old: str) -> list[tuple[str, ...]]:
        if (words := self.words) is None:
            return list(self.rows)
        before = {cells[0]: cells[words] for cells in _cells(old) if len(cells) > words}
        said = {**before, **self.declared}
        return [(*row[:words], said.get(row[0], ""), *row[words:]) for row in self.rows]


def _cells(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")]


def shown(value: Any) -> str:
    """A default as the tables write it."""
    if value is None:
        return "none"
    return f"`{json.dumps(plain(str(value) if isinstance(value, Path) else value))}`"


def hob_toml() -> dict[str, Any]:
    """heading -> the model of that table."""
    found = {f"[{name}]": type(getattr(Config(), name)) for name in Config.model_fields if name != "hosts"}
    return {**found, "[[hosts]]": HostTable, '[code.tests."owner/name"]': SuiteTable}


def _configuration() -> Iterator[Table]:
    head = ("Key", "Default", "Meaning")
    for heading, model in hob_toml().items():
        defaults = {
            name: one.get_default(call_default_factory=True) for name, one in model.model_fields.items()
        }
        rows = [
            (f"`{name}`", "required" if default is PydanticUndefined else shown(default))
            for name, default in defaults.items()
        ]
        yield Table(heading, "configuration.md", head, rows, words=2)
    values = merge(())
    settings = [
        (f"`{key.name}`", shown(values[key.name].value), "both" if key.in_file else "stored only")
        for key in KEYS
    ]
    head = ("Key", "Default", "Where", "Meaning")
    checks = {f"`review.checks.{name}`": check.about for name, check in CHECKS.items()}
    yield Table("settings", "configuration.md", head, settings, words=3, declared=checks)


def _commands() -> Iterator[Table]:
    commands = router.commands.items()
    rows = [(f"`{name}`", route.help, WHO[route.who][0]) for name, route in commands]
    yield Table("commands", "commands.md", ("command", "does", "who"), rows)
    by_who = [
        (", ".join(f"`{name}`" for name, route in commands if route.who == who), words)
        for who, (_, words) in WHO.items()
    ]
    yield Table("who may ask", "security.md", ("command", "who"), by_who)


def _manifest() -> Iterator[Table]:
    asked = [(f"`{name}`", level) for name, level in manifest().permissions.items()]
    means = {f"`{name}`": MEANS[f"{name}: {level}"] for name, level in manifest().permissions.items()}
    yield Table(
        "permissions", "security.md", ("permission", "level", "what for"), asked, words=2, declared=means
    )
    rows = []
    for event in sorted(manifest().events):
        kinds = {kind for kind, name in EVENTS.items() if name == event}
        routes = [route.name for route in router.routes if kinds & set(route.kinds)]
        spoken = ["commands"] if any(issubclass(kind, CommentEvent) for kind in kinds) else []
        rows.append((f"`{event}`", ", ".join([*spoken, *(f"`{name}`" for name in routes)])))
    yield Table("events", "security.md", ("event", "routes that answer it"), rows)


@cache
def hardening() -> dict[str, set[str]]:
    """Row id -> the test files in which a test carries it in its name."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for match in HARDENING.finditer(path.read_text()):
            for each in match[1].rstrip("_").split("_"):
                found.setdefault(each, set()).add(str(path.relative_to(ROOT / "tests").with_suffix("")))
    return found


def _hardening() -> Table:
    files = hardening()
    rows = [
        (row, *said, ", ".join(f"`{file}`" for file in sorted(files.get(row, ()))) or "none yet")
        for row, said in ROWS.items()
    ]
    return Table("hardening", "security.md", ("id", "grade", "what comes in", "what Hob does", "tests"), rows)


def metrics() -> dict[str, str]:
    """Name -> gauge or counter, of all that `/metrics` may say."""
    found = dict(re.findall(r"^# TYPE (\w+) (\w+)", "\n".join(model_stats.lines({})), re.MULTILINE))
    for path in sorted(ROOT.glob("bot/web/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                name = node.args[0]
                if node.func.id in {"series", "Counter"} and isinstance(name, ast.Constant):
                    kinds = [ast.literal_eval(word.value) for word in node.keywords if word.arg == "kind"]
                    default = "counter" if node.func.id == "Counter" else "gauge"
                    found[str(name.value)] = kinds[0] if kinds else default
    return found


def _metrics() -> Table:
    rows = [(f"`{name}`", kind) for name, kind in sorted(metrics().items())]
    return Table("metrics", "operations.md", ("Metric", "Kind", "Means"), rows, words=2)


def _linters() -> Table:
    rows = []
    for name in sorted(linter.names()):
        known = linter.known(name)
        takes = [*(f"`{known.under}{one}`" for one in known.takes)] or ["scripts, steps of workflows"]
        rows.append((f"`{name}`", ", ".join(takes), str(len(known.rules)), known.measured))
    return Table("linters", "checks.md", ("check", "files", "rules", "measured"), rows)


def _weights() -> Table:
    rows = [(name, str(weight)) for name, weight in sorted(WEIGHTS.items(), key=lambda one: -one[1])]
    return Table("weights", "knowledge.md", ("part", "is", "weight"), rows, words=1)


def packages() -> list[str]:
    """Every folder of the product that holds files, and the modules that stand alone in `bot/`."""
    files = [
        path.relative_to(ROOT)
        for top in TREE
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    ]
    folders = {
        str(folder) for path in files for folder in [path.parent, *path.parent.parents] if folder.parts
    }
    alone = {str(path) for path in files if path.parent == Path("bot") and path.suffix == ".py"}
    return sorted(folders | alone - {"bot/__init__.py"})


def _sizes() -> Table:
    rows = [
        (f"`{size.name}`", f"{size.download_gb:g} GB", f"{size.needs_gb:g} GB", size.why) for size in SIZES
    ]
    return Table("sizes", "setup.md", ("model", "download", "memory for it", "what to expect"), rows)


def _layers() -> Table:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    named = ["handlers", *(", ".join(f"bot.{one}" for one in layer.split(" | ")) for layer in layers)]
    rows = [(str(number), f"`{layer.replace(', ', '`, `')}`") for number, layer in enumerate(named, 1)]
    return Table("layers", "design.md", ("layer", "packages"), rows)


def _tree() -> Iterator[Table]:
    rows = [(f"`{path}`",) for path in packages()]
    yield Table("tree", "design.md", ("path", "what is in it"), rows, words=1)
    by_file: dict[str, list[str]] = {}
    for route in router.routes:
        file = route.handler.__module__.replace(".", "/") + ".py"
        by_file.setdefault(file, []).append(f"`{route.name}`")
    files = [(f"`{file}`", ", ".join(names)) for file, names in sorted(by_file.items())]
    yield Table("handlers", "design.md", ("file", "routes"), files)


def _mcp() -> Table:
    rows = [
        (f"`{name}`", ", ".join(f"`{one}`" for one in tool.arguments.model_fields), tool.about)
        for name, tool in TOOLS.items()
    ]
    return Table("mcp", "mcp.md", ("tool", "arguments", "does"), rows)


def tables() -> list[Table]:
    return [
        *_configuration(),
        *_commands(),
        *_manifest(),
        _hardening(),
        _metrics(),
        _linters(),
        _weights(),
        _sizes(),
        _layers(),
        _mcp(),
        *_tree(),
    ]


def meanings() -> dict[str, dict[str, str]]:
    """heading -> key -> what docs/configuration.md says of it, without links: for descriptions in editors."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    found: dict[str, dict[str, str]] = {}
    for heading in hob_toml():
        rows = page.partition(f"<!-- make docs: {heading} -->\n")[2].partition("<!-- end -->")[0]
        words = {
            cells[0].strip("`"): re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", cells[2]) for cells in _cells(rows)
        }
        found[heading] = {key: said for key, said in words.items() if key != "Key"}
    return found


def files() -> dict[Path, str]:
    """Whole files that the code and the tables decide, in the order in which they are made."""
    made: dict[Path, Callable[[], object]] = {
        MEANINGS: meanings,
        ROOT / "docs" / "hob.yml.schema.json": hobyml_schema,
        ROOT / "docs" / "hob.toml.schema.json": hobtoml_schema,
    }
    return {path: json.dumps(make(), ensure_ascii=False, indent=1) + "\n" for path, make in made.items()}


def main(tell: Callable[[str], None] = print) -> int:
    """Writes the pages; 1 where somebody has to write words first."""
    missing = 0
    for table in tables():
        page = ROOT / "docs" / table.page
        old = page.read_text()
        new = table.written(old)
        if new != old:
            page.write_text(new)
            tell(f"docs/{table.page}: {table.name}")
        for key in table.wordless(new):
            tell(f"docs/{table.page}, {table.name}: say what {key} is")
            missing += 1
    for path in files():
        new = files()[path]
        if not path.exists() or path.read_text() != new:
            path.write_text(new)
            tell(str(path.relative_to(ROOT)))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
