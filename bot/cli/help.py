"""Help that fits the terminal, however narrow: nothing is cut, and an example can still be pasted."""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator

import click
from click.formatting import wrap_text

NARROWEST, WIDEST = 40, 80
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
"""Of a command line: what stands in quotes is not parted."""


class Formatter(click.HelpFormatter):
    """As wide as the terminal, from `NARROWEST` to `WIDEST`; click's own is never narrower than 50."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        columns = width or min(shutil.get_terminal_size().columns, max_width or WIDEST)
        super().__init__(indent_increment, max(columns, NARROWEST))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """A term that is wider than its column stands on lines of its own."""
        wide, behind = self.width - self.current_indent, " " * (self.current_indent + 2)
        folded = [
            (term if len(term) <= wide else wrap_text(term, wide, subsequent_indent=behind), said)
            for term, said in rows
        ]
        super().write_dl(folded, min(col_max, self.width // 3), col_spacing)

    def write_example(self, example: str) -> None:
        with self.section("Example"):
            for line in example.splitlines():
                for part in _parts(line, self.width - self.current_indent):
                    self.write(f"{'':{self.current_indent}}{part}\n")


class HelpContext(click.Context):
    formatter_class = Formatter


def _parts(line: str, width: int) -> Iterator[str]:
    """A command line as the lines that a shell takes for it, what is said about it before."""
    if len(line) <= width:
        yield line
        return
    command, *said = re.split(r"\s+# ", line, maxsplit=1)
    for words in said:
        yield from textwrap.wrap(words, width, initial_indent="# ", subsequent_indent="# ")
    part = ""
    for word in _WORD.findall(command):
        if part and len(f"{part} {word} \\") > width:
            yield f"{part} \\"
            part = "   "
        part = f"{part} {word}" if part else word
    yield part
