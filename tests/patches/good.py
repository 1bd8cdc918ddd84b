"""Patches that hold, with what the files are after them."""

import random
from collections.abc import Callable, Iterator

from bot.core.edits import FileEdit
from tests.patches.case import Case, Span, Texts, in_turn, sliced, spans, word

Made = Callable[[str, str, random.Random], Case]


def _new(chance: random.Random, lines: int = 0, end: str = "\n") -> str:
    some = [f"made_{chance.randrange(10**9)} = {chance.random()!r}  # ünmarked" for _ in range(lines or 1)]
    return end.join(some)


def _case(name: str, path: str, text: str, *changes: tuple[Span, str], **said: tuple[str, str]) -> Case:
    """`said`: span's place in the order -> (quote, replacement) as a model would say them."""
    edits = []
    for n, (span, new) in enumerate(changes):
        quote, told = said.get(f"n{n}", (span.quote, new))
        edits.append(FileEdit(path, quote, told))
    return Case(name, {path: text}, tuple(edits), {path: sliced(text, *changes)})


def one_place(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    return _case("one place", path, text, (span, _new(chance, chance.randrange(1, 4))))


def whole_lines(path: str, text: str, chance: random.Random) -> Case:
    """Quoted with the end of their last line."""
    span = next(one for one in spans(text, chance, 3) if one.end < len(text))
    wide = Span(span.start, span.end + 1, text[span.start : span.end + 1])
    return _case("whole lines", path, text, (wide, _new(chance, 2) + "\n"))


def lines_go(path: str, text: str, chance: random.Random) -> Case:
    span = next(one for one in spans(text, chance, 3) if one.end < len(text))
    wide = Span(span.start, span.end + 1, text[span.start : span.end + 1])
    return _case("lines go", path, text, (wide, ""))


def lines_come(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    return _case("lines come", path, text, (span, f"{span.quote}\n{_new(chance, 3)}"))


def a_word(path: str, text: str, chance: random.Random) -> Case:
    return _case("a word", path, text, (word(text, chance), "teapot"))


def several_places(path: str, text: str, chance: random.Random) -> Case:
    """In whatever order."""
    some = [(one, _new(chance)) for one in spans(text, chance, 3, 2)]
    case = _case("several places", path, text, *some)
    edits = list(case.edits)
    chance.shuffle(edits)
    return Case(case.name, case.heads, tuple(edits), case.after)


def adjacent(path: str, text: str, chance: random.Random) -> Case:
    """One ends where the other begins."""
    for one in spans(text, chance, 3):
        cut = one.quote.find("\n") + 1
        first = Span(one.start, one.start + cut, one.quote[:cut])
        second = Span(one.start + cut, one.end, one.quote[cut:])
        if cut and all(each.quote.strip() and text.count(each.quote) == 1 for each in (first, second)):
            return _case("adjacent", path, text, (first, _new(chance) + "\n"), (second, _new(chance)))
    raise LookupError("no two lines")


def said_twice(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    case = _case("said twice", path, text, (span, _new(chance)))
    return Case(case.name, case.heads, case.edits * 2, case.after)


def they_swap(path: str, text: str, chance: random.Random) -> Case:
    """Each place gets what the other had: one after the other would undo it."""
    first, second = spans(text, chance, 2, 2)
    return _case("they swap", path, text, (first, second.quote), (second, first.quote))


def carriage_returns(path: str, text: str, chance: random.Random) -> Case:
    crlf = text.replace("\n", "\r\n")
    (span,) = spans(crlf, chance, 1)
    new = _new(chance, 2, "\r\n")
    said = (span.quote, new) if chance.random() < 0.3 else (_lf(span.quote), _lf(new))
    return _case("CRLF", path, crlf, (span, new), n0=said)


def told_carriage_returns(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    new = _new(chance, 2)
    return _case("CRLF in the answer", path, text, (span, new), n0=(_crlf(span.quote), _crlf(new)))


def mixed_ends(path: str, text: str, chance: random.Random) -> Case:
    lines = text.split("\n")
    mixed = "".join(line + chance.choice(["\r\n", "\n"]) for line in lines)
    (span,) = spans(mixed, chance, 1, 1)
    return _case("mixed line ends", path, mixed, (span, _new(chance)))


def tabs(path: str, text: str, chance: random.Random) -> Case:
    tabbed = text.replace("    ", "\t").replace("\n", "\t\n", 3)
    (span,) = spans(tabbed, chance, 1)
    return _case("tabs", path, tabbed, (span, "\t\t" + _new(chance)))


def no_last_line_end(path: str, text: str, chance: random.Random) -> Case:
    text = f"{text.rstrip()}\nlast_{chance.randrange(10**6)} = 1"
    start = text.rindex("\n") + 1
    span = Span(start, len(text), text[start:])
    return _case("no last line end", path, text, (span, _new(chance)))


def first_line(path: str, text: str, chance: random.Random) -> Case:
    """After a mark of bytes' order, which nobody quotes."""
    text = f"\ufefffirst_{chance.randrange(10**6)} = 1\n{text}"
    span = Span(1, text.index("\n"), text[1 : text.index("\n")])
    return _case("a mark of bytes' order", path, text, (span, _new(chance)))


def trailing_blanks(path: str, text: str, chance: random.Random) -> Case:
    text = "\n".join(f"{line}{' ' * chance.randrange(4)}" for line in text.split("\n"))
    (span,) = spans(text, chance, 1)
    return _case("trailing blanks", path, text, (span, f"{_new(chance)}  "))


def decomposed(path: str, text: str, chance: random.Random) -> Case:
    text = f"{text}# gru\u0308n \u2615 {chance.random()}\nlast = 1\n"
    start = text.index("# gru")
    span = Span(start, text.index("\nlast"), text[start : text.index("\nlast")])
    return _case("decomposed letters", path, text, (span, "# gr\u00fcn \U0001f375"))


def huge(path: str, text: str, chance: random.Random) -> Case:
    body = "".join(f"line_{n} = {n * 7}\n" for n in range(40_000))
    n = chance.randrange(40_000)
    quote = f"line_{n} = {n * 7}\n"
    span = Span(body.index(quote), body.index(quote) + len(quote), quote)
    return _case("huge", path, body, (span, _new(chance) + "\n"))


def a_new_file(path: str, text: str, chance: random.Random) -> Case:
    new, ends = f"{_new(chance, 4)}{chance.choice(['', chr(10)])}", chance.choice(["\n", "\r\n"])
    where = f"made/{chance.randrange(10**6)}/{path.rpartition('/')[2]}"
    return Case("a new file", {path: text}, (FileEdit(where, "", new.replace("\n", ends)),), {where: new})


def a_file_goes(path: str, text: str, chance: random.Random) -> Case:
    return Case("a file goes", {path: text, "stays.md": "x\n"}, (FileEdit(path, delete=True),), {path: None})


def a_file_moves(path: str, text: str, chance: random.Random) -> Case:
    to, (span,) = f"moved/{path}", spans(text, chance, 1)
    if chance.random() < 0.5:
        return Case("a file moves", {path: text}, (FileEdit(path, rename_to=to),), {path: None, to: text})
    new = _new(chance)
    edit = FileEdit(path, span.quote, new, rename_to=to)
    return Case(
        "a file moves and changes", {path: text}, (edit,), {path: None, to: sliced(text, (span, new))}
    )


def an_empty_file(path: str, text: str, chance: random.Random) -> Case:
    edits = (FileEdit("src/empty.py", "", f"{_new(chance)}\n"), FileEdit("new/empty.py"))
    after = {"src/empty.py": edits[0].replace, "new/empty.py": ""}
    return Case("empty files", {"src/empty.py": chance.choice(["", "\n"]), path: text}, edits, after)


def a_sloppy_path(path: str, text: str, chance: random.Random) -> Case:
    (span,) = spans(text, chance, 1)
    new, said = _new(chance), chance.choice([f"./{path}", f"b/{path}", f"`{path}`", f"{path}:12"])
    edit = FileEdit(said, span.quote, new)
    return Case("a sloppy path", {path: text}, (edit,), {path: sliced(text, (span, new))})


def many_files(path: str, text: str, chance: random.Random) -> Case:
    heads = {f"{n}/{path}": f"{text}{n}\n" for n in range(5)}
    edits: list[FileEdit] = []
    after: dict[str, str | None] = {}
    for one, head in heads.items():
        (span,) = spans(head, chance, 1)
        new = _new(chance)
        edits.append(FileEdit(one, span.quote, new))
        after[one] = sliced(head, (span, new))
    chance.shuffle(edits)
    return Case("many files", heads, tuple(edits), after)


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


KINDS: tuple[Made, ...] = (
    one_place, whole_lines, lines_go, lines_come, a_word, several_places, adjacent, said_twice, they_swap,
    carriage_returns, told_carriage_returns, mixed_ends, tabs, no_last_line_end, first_line,
    trailing_blanks, decomposed, a_new_file, a_file_goes, a_file_moves, an_empty_file, a_sloppy_path,
    many_files,
)  # fmt: skip


def cases(sources: Texts, seed: int) -> Iterator[Case]:
    """Endless: each kind in turn, on the next file that has what the kind needs."""
    chance, files = random.Random(seed), in_turn(sources, seed)
    for number in range(10**9):
        kind = huge if number == len(KINDS) else KINDS[number % len(KINDS)]
        for path, text in files:
            try:
                case = kind(path, text, chance)
            except (LookupError, StopIteration):
                continue
            if case.heads != case.after:
                yield case
                break
