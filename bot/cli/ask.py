"""`hob ask`."""

import asyncio
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import EXISTING, HobCommand, folder_option, tell
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example='hob ask "Where is the signature checked?"\nhob ask --continue "And by whom is it called?"',
)
@click.argument("question")
@click.option("--agent", default="research", show_default=True, help="A name, a prompt file or module:Class.")
@folder_option(old="--repo", type=EXISTING)
@click.option("--model", default="", help="Instead of the agent's: NAME or NAME@HOST.")
@click.option("--continue", "goes_on", is_flag=True, help="Goes on with the last conversation here.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(question: str, agent: str, folder: Path, model: str, goes_on: bool, as_json: bool) -> int:
    """Answers a question about the local repository, citing path:line and commits.

    The answer is written as it comes. Every citation is checked: those lines were read and hold the
    quoted words. Agents: research (searches, reads, searches again), chat, coding, reasoning, or your own.
    GitHub is not asked: what waits for what is answered where Hob is installed, in comments and over its API.

    Words that ask for another command of hob are answered with that command, for you to run; naming an
    agent (`--agent research`) has any words taken as a question.
    """
    from bot.log import setup

    setup("error")
    if not question.strip():
        raise click.UsageError("the question is empty")
    from click.core import ParameterSource

    given = click.get_current_context().get_parameter_source("agent") is not ParameterSource.DEFAULT
    others = [] if given or goes_on else _other_commands()
    return asyncio.run(_ask(question, agent, folder, model, goes_on, as_json, others))


NOT_HERE = (
    "What waits for what is known to GitHub and not to this folder: ask where Hob is installed, in a comment "
    "(`@hob blockers v1.0`) or over its API."
)


def _other_commands() -> list[click.Command]:
    """All of hob's but this one."""
    root = click.get_current_context().find_root()
    group = root.command if isinstance(root.command, click.Group) else None
    names = [name for name in group.list_commands(root) if name != "ask"] if group else []
    found = [(name, group.get_command(root, name)) for name in names] if group else []
    for name, one in found:
        if one is not None:
            one.name = name
    return [one for _, one in found if one is not None]


async def _command_meant(question: str, others: Sequence[click.Command], infer: Any) -> str:
    """The command line that the words ask for; empty for a question."""
    from bot.agents.intent import understand
    from bot.core.intents import OfferedCommand

    offered = [OfferedCommand(str(one.name), one.get_short_help_str(200)) for one in others]
    meant, _ = await understand(question, "on the command line of this machine", offered, infer)
    chosen = next((one for one in others if one.name == meant.name), None)
    if chosen is None:
        return ""
    takes = any(isinstance(one, click.Argument) for one in chosen.params)
    needs = any(isinstance(one, click.Argument) and one.required for one in chosen.params)
    if isinstance(chosen, click.Group) or (needs and not meant.argument):
        return f"hob {meant.name} --help"
    return f"hob {meant.name} {shlex.quote(meant.argument) if takes and meant.argument else ''}".strip()


async def _ask(
    question: str,
    agent: str,
    folder: Path,
    model: str,
    goes_on: bool,
    as_json: bool,
    others: Sequence[click.Command],
) -> int:
    from bot.agents.base import Options
    from bot.core.chat import Answered
    from bot.core.dependency_questions import dependency_question
    from bot.core.inference import Completion, Turn
    from bot.core.text import for_terminal
    from bot.local.conversation import LocalConversation
    from bot.scripting import Workshop

    options: Options = {"model": model} if model else {}
    asked = dependency_question(question)
    if asked and asked.sure:
        return _end(Answered(Completion(failure="no_host", reason=NOT_HERE)), agent, as_json)
    with TellWaiting("reading and thinking") as waits:
        async with Workshop(repo=folder, tell=tell) as shop:
            models = (model,) if model else ()
            line = await _command_meant(question, others, shop.infer(models=models)) if others else ""
            if line:
                waits.over()
                told = json.dumps({"answer": "", "citations": [], "command": line})
                tell("with --agent research your words are taken as a question")
                click.echo(told if as_json else for_terminal(f"That is another command's work: {line}"))
                return 0
            talk = LocalConversation.of(folder, shop.config.hob.data_dir)
            before = talk.read() if goes_on else ()
            if goes_on and not before:
                tell("there is no earlier conversation here: this begins one")
            async for piece in shop.agent(agent).stream([*before, Turn("user", question)], **options):
                if not as_json:
                    waits.over()
                if isinstance(piece, Answered):
                    waits.over()
                    if piece.completion.value is not None:
                        talk.write([*before, Turn("user", question), Turn("assistant", piece.text)])
                    return _end(piece, agent, as_json)
                if not as_json:
                    click.echo(for_terminal(piece), nl=False)
    return 1


def _end(answered: Any, agent: str, as_json: bool) -> int:
    """What comes after the words; the exit code."""
    from bot.log import redact

    completion = answered.completion
    failed = completion.value is None
    if as_json:
        click.echo(json.dumps(answer_as_json(answered, agent)))
        return int(failed)
    if completion.text:
        click.echo()
    if answered.citations:
        click.echo("\nSources:")
        for citation in answered.citations:
            click.echo(f"  {citation}")
    if answered.unproved:
        click.echo(f"\n{answered.unproved}")
    if failed:
        hint = " — `hob doctor` says what each host lacks" if completion.failure == "no_host" else ""
        click.echo(f"hob: no answer: {redact(completion.reason)}{hint}", err=True)
    if completion.note:
        click.echo(f"hob: {redact(completion.note)}", err=True)
    if completion.hidden:
        kinds = ", ".join(dict.fromkeys(completion.hidden))
        click.echo(f"hob: hidden from {completion.host}, which is online: {kinds}", err=True)
    if completion.left_out and not failed:
        some = ", ".join(dict.fromkeys(completion.left_out))
        click.echo(f"hob: not read for want of room: {some}", err=True)
    return int(failed)


def answer_as_json(answered: Any, agent: str) -> dict[str, Any]:
    """An answer for programs: its text, what it rests on, and what it cost."""
    completion = answered.completion
    return {
        "answer": completion.text,
        "citations": [{**each.told, "quote": each.quote} for each in answered.citations],
        "dropped": answered.dropped,
        "unproved": answered.unproved,
        "agent": agent,
        "host": completion.host,
        "model": completion.model,
        "tokens_in": completion.tokens_in,
        "tokens_out": completion.tokens_out,
        "seconds": round(completion.seconds, 3),
        "left_out": list(dict.fromkeys(completion.left_out)),
        "hidden": list(dict.fromkeys(completion.hidden)),
        "note": completion.note,
        "failure": completion.failure,
        "reason": completion.reason,
    }
