"""`make shape`: how large the parts of Hob are, and what has one name for two things. The bars are those of
docs/design.md; `tests/test_shape.py` holds the ones that are reached."""

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
PRODUCT = ("bot", "handlers")
SMALL = 60
"""Lines: a module of fewer with one importer is a plug (a runner, a check, a command) or part of another."""


@dataclass(slots=True)
class Shape:
    """`lines` by module; `importers` of each; modules in which a public class or alias name is defined."""

    lines: dict[str, int] = field(default_factory=dict)
    importers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    functions: list[int] = field(default_factory=list)

    @property
    def twice(self) -> dict[str, list[str]]:
        return {name: places for name, places in sorted(self.named.items()) if len(places) > 1}

    @property
    def single(self) -> list[str]:
        return [
            each
            for each, lines in sorted(self.lines.items())
            if lines < SMALL and len(self.importers[each]) == 1
        ]


def measure(root: Path = ROOT) -> Shape:
    """Migrations and empty files are left out: nobody chose their size."""
    shape = Shape()
    trees = {}
    for path in sorted(each for folder in PRODUCT for each in (root / folder).rglob("*.py")):
        text = path.read_text()
        if "migrations" not in path.parts and text.strip():
            module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            shape.lines[module] = text.count("\n")
            trees[module] = ast.parse(text)
    for module, tree in trees.items():
        for imported in _imports(tree):
            if imported in trees and imported != module:
                shape.importers[imported].add(module)
        for name in _names(tree):
            shape.named[name].append(module)
        shape.functions += [
            (node.end_lineno or node.lineno) - node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    return shape


def _imports(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _names(tree: ast.Module) -> list[str]:
    """Of public classes and of aliases of types, which are written as classes are."""
    assigned = (
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id[0].isupper() and not target.id.isupper()
    )
    classes = (
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    return [*classes, *assigned]


def main() -> None:
    shape = measure()
    sizes = list(shape.lines.values())
    print(f"modules                        {len(sizes)}")
    print(f"lines                          {sum(sizes)}")
    print(f"lines of a module, median      {median(sizes):.0f}")
    print(f"lines of a module, most        {max(sizes)} ({max(shape.lines, key=shape.lines.__getitem__)})")
    print(f"lines of a function, median    {median(shape.functions):.0f}")
    print(f"lines of a function, 9th decile {quantiles(shape.functions, n=10)[-1]:.0f}")
    print(f"one importer, under {SMALL} lines   {len(shape.single)}: {', '.join(shape.single)}")
    print(f"names defined twice            {len(shape.twice)}")
    for name, places in shape.twice.items():
        print(f"  {name}: {', '.join(places)}")


if __name__ == "__main__":
    main()
