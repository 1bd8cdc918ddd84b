"""How every command behaves: it is found by its name, it says what is wrong in one line, it ends with a
code that a script can read (0 done, 1 failed, 2 wrong usage, 3 findings), and no traceback reaches a person
who did not ask for it."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Never, TypeVar

import click

from bot.cli.command_names import GROUPS, HIDDEN, SUMMARIES, module_of
from bot.cli.help import Formatter, HelpContext
from bot.core.errors import HobError, UserError
from bot.garbage import seldom_look

LONGEST_NAME, LONGEST_LINE = 60, 1000
"""Characters that are shown: what was given by mistake may be a whole file."""
_HINTS = {
    errno.EACCES: "let this user in there, or name another place",
    errno.EPERM: "let this user in there, or name another place",
    errno.EROFS: "name a place that can be written",
    errno.ENOENT: "make it, or name another place",
    errno.ENOTDIR: "a folder is needed there: name another place",
    errno.EEXIST: "something else is there: name another place",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENAMETOOLONG: "name a shorter one",
    errno.ELOOP: "its symbolic links lead in a circle: name another place",
    errno.ENXIO: "nothing can be read or written there: name another place",
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No file is named with these: it may be one of Hob's, or its output."""
REPORT = "run it again with --debug, and report what it shows"


def _debug(context: click.Context, _option: click.Parameter, value: bool) -> None:
    root = context.find_root()
    root.meta["hob.debug"] = value or root.meta.get("hob.debug", False)


def day(text: str) -> float:
    """An option's time in the past, in seconds since 1970: a day (UTC), or in words such as `3 days`."""
    import time

    from bot.core.since import since

    asked = since(text, time.time())
    if asked.at is None or asked.rest:
        usual = f"{text[:80]!r} is no time: write a day, as in 2026-11-02, or '3 days'"
        raise click.BadParameter((asked.wrong or usual).replace("`", "'"))
    return asked.at


class NumberRange(click.FloatRange):
    """Without NaN, which is in every range: each comparison with it is false."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        return found if found == found else self.fail(f"{value} is no number.", param, ctx)


class RepositoryParam(click.ParamType[str]):
    """`owner/name`, as GitHub has them."""

    name = "repository"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from bot.core.settings_schema import REPOSITORY

        if isinstance(value, str) and REPOSITORY.fullmatch(value):
            return value
        raise click.UsageError(f"{str(value)[:80]!r} is no repository: write owner/name", ctx)


class Output(click.Path):
    """A file to be written, or with `folder` a folder of files. That it can be is known before the work
    begins, and nothing is left there by looking."""

    name = "path"

    def __init__(self, *, folder: bool = False, allow_dash: bool = False) -> None:
        super().__init__(file_okay=not folder, dir_okay=folder, allow_dash=allow_dash, path_type=Path)
        self.folder = folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(path) != "-":
            try:
                self._try(path)
            except OSError as wrong:
                self.fail(f"{path} cannot be written: {wrong.strerror}", param, ctx)
        return path

    def _try(self, path: Path) -> None:
        import tempfile

        if not self.folder and path.exists():
            if not path.is_file():  # a pipe: whoever reads it would take our looking for its end
                return
            with path.open("ab"):
                return
        above = next(one for one in (path, *path.absolute().parents) if one.exists())
        if not self.folder and above != path.absolute().parent:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        with tempfile.TemporaryFile(dir=above):
            return


class FolderOption(click.Option):
    """`--folder`. What earlier versions called it is understood, and no help or completion shows it."""

    def __init__(self, *args: Any, old: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.old = old

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        shown, self.opts = self.opts, [*self.opts, self.old]
        super().add_to_parser(parser, ctx)
        self.opts = shown


F = TypeVar("F", bound=Callable[..., Any])
EXISTING = click.Path(exists=True, file_okay=False, path_type=Path)
ANY_FOLDER = "Any folder of the repository; by default this one."


def folder_option(old: str, about: str = ANY_FOLDER, **others: Any) -> Callable[[F], F]:
    """The one option for a folder of a repository; `old` is its earlier name."""
    given = {"type": click.Path(path_type=Path), "metavar": "FOLDER", "default": ".", "help": about, **others}
    return click.option("--folder", cls=FolderOption, old=old, **given)


DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks and debug logs."
)


def _asked_for_help(args: list[str]) -> list[str]:
    """`hob help review` and `hob hosts help pull` are `--help` of what they name."""
    return [*args[1:], "--help"] if args[:1] == ["help"] else args


class HobCommand(click.Command):
    """A command with an example in its help. `hob COMMAND --help` shows `example` last."""

    context_class = HelpContext

    def __init__(self, *args: Any, example: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example
        self.params.append(DEBUG)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if isinstance(formatter, Formatter):
            formatter.write_example(self.example)


class Group(click.Group):
    """Commands within a command, with an example too."""

    context_class = HelpContext

    def __init__(self, *args: Any, example: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.example = example
        self.params.append(DEBUG)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _asked_for_help(args))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The whole first sentence of each."""
        found = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in found])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if isinstance(formatter, Formatter):
            formatter.write_example(self.example)


class Commands(click.Group):
    """The commands of `command_names`: a module of this package each, which is imported when it is asked for
    and holds a `command`."""

    context_class = HelpContext

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _asked_for_help(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*SUMMARIES, *HIDDEN})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES and cmd_name not in HIDDEN:
            return None
        command: click.Command = import_module(f"bot.cli.{module_of(cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, SUMMARIES))
        for heading, commands in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), about) for name, about in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Any:
        from click.shell_completion import CompletionItem

        begun = [(name, about) for name, about in SUMMARIES.items() if name.startswith(incomplete)]
        found = [CompletionItem(name, help=about) for name, about in sorted(begun)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            from bot.core.text import cut

            near = get_close_matches(args[0], SUMMARIES, n=1)
            name = cut(args[0], LONGEST_NAME, end="…")
            hint = f" — did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command {name}{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, params=[DEBUG], context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hobbot", prog_name="hob")
def hob() -> None:
    """Hob reviews pull requests and triages issues with models on your own machine."""


def main(arguments: list[str] | None = None) -> Never:
    """Runs `hob` and ends the process."""
    seldom_look()
    _open_streams()
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except OSError as wrong:
        if wrong.errno in _FULL:
            _say(f"{wrong.strerror}: make room where Hob's data lie, or where what it says goes")
        elif not isinstance(wrong, BrokenPipeError):
            _say(f"what there is to say cannot be written: {wrong.strerror}")
        # The reader has gone (`| head`), or the disk is full: what Python would flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _open_streams() -> None:
    """Streams that were closed (`>&-`) lead nowhere, so that no database is opened under their numbers; a
    character that the terminal's encoding lacks is shown as `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  for as long as the process lives
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _run(arguments: list[str]) -> int:
    if _logs(arguments):
        from bot.log import setup

        setup()
    try:
        answer = hob.main(arguments, prog_name="hob", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return 128 + signal.SIGINT
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as wrong:
        click.echo(wrong.format_message())
        return 2
    except click.UsageError as wrong:
        where = wrong.ctx.command_path if wrong.ctx else "hob"
        _say(f"{wrong.format_message().rstrip('.')} (see `{where} --help`)")
        return 2
    except click.ClickException as wrong:
        _say(wrong.format_message())
        return 1
    except BrokenPipeError:
        raise
    except OSError as wrong:
        if wrong.errno in _FULL:
            raise
        _explain(wrong, arguments)
        return 1
    except Exception as wrong:  # the last border: whatever it is, a person gets one line
        _explain(wrong, arguments)
        return os.EX_CONFIG if isinstance(wrong, UserError) and "--parent-watch" in arguments else 1
    return answer if isinstance(answer, int) else 0


def _explain(wrong: Exception, arguments: list[str]) -> None:
    from bot.log import redact

    debug = "--debug" in arguments
    if _logs(arguments):
        import logging

        logging.getLogger(__name__).error(_one_line(_words(wrong)), exc_info=wrong if debug else None)
        return
    if debug:
        import traceback

        click.echo(redact(traceback.format_exc()), err=True)
    _say(_words(wrong))


def _logs(arguments: list[str]) -> bool:
    """Whether all that is said is a log that a program reads: of `hob up` and what it starts, into a pipe."""
    started = "--parent-watch" in arguments or bool({"up", "prepare"} & set(arguments[:2]))
    return started and not sys.stderr.isatty()


def _words(wrong: Exception) -> str:
    if isinstance(wrong, UserError):
        return f"{wrong} — {wrong.hint}" if wrong.hint else str(wrong)
    if isinstance(wrong, HobError):
        return str(wrong)
    return _expected(wrong) or f"unexpected {type(wrong).__name__}: {wrong} — {REPORT}"


def _expected(wrong: Exception) -> str:
    """What the machine lacks or forbids: a person can mend it, and there is nothing to report."""
    if isinstance(wrong, ModuleNotFoundError) and (wrong.name or "").partition(".")[0] not in (
        "bot",
        "handlers",
    ):
        return f"the Python package {wrong.name} is not installed — install it, or Hob anew (make install)"
    if not isinstance(wrong, OSError) or wrong.filename is None or wrong.errno not in _HINTS:
        return ""
    return f"{os.fsdecode(wrong.filename)}: {wrong.strerror} — {_HINTS[wrong.errno]}"


def _say(text: str) -> None:
    """One line on stderr, without secrets."""
    click.echo(f"hob: {_one_line(text)}", err=True)


def _one_line(text: str) -> str:
    from bot.core.text import cut, for_terminal
    from bot.log import redact

    return cut(for_terminal(redact(" ".join(text.split()))), LONGEST_LINE, end="…")


def tell(line: str) -> None:
    """How far long work is, on stderr."""
    from bot.cli.waiting import say
    from bot.core.text import for_terminal

    say(click.style(for_terminal(line), dim=True))


def clean(text: str) -> str:
    """Others' words on one line, without what could steer a terminal, and without secrets."""
    from bot.core.text import for_terminal
    from bot.log import redact

    return " ".join(for_terminal(redact(text)).split("\n"))


def is_debug() -> bool:
    """Whether --debug was given."""
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get("hob.debug"))
