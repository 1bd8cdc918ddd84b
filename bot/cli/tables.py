"""Tables for a terminal whose cells are others' words: nothing in them is markup, nothing steers the
terminal, and what is too wide for a narrow one is folded, never cut."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.text import for_terminal
from bot.log import redact


def table(*heads: str, title: str = "") -> Table:
    made = Table(title=plain(title) if title else None)
    for head in heads:
        made.add_column(plain(head), overflow="fold")
    return made


def row(made: Table, *cells: str, style: str = "") -> None:
    """One more row; line breaks in a cell stay."""
    made.add_row(*map(plain, cells), style=style)


def plain(words: str) -> Text:
    """The words as they are, without what nobody sees."""
    return Text("\n".join(for_terminal(redact(line)) for line in words.split("\n")), overflow="fold")


def console(wide: int) -> Console:
    """As wide as the terminal; `wide` where nobody looks."""
    made = Console(markup=False, highlight=False)
    return made if made.is_terminal else Console(width=wide, markup=False, highlight=False)
