"""`hob chain`."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.framework import EXISTING, Group, HobCommand, folder_option
from bot.cli.waiting import TellWaiting
from bot.core.chain import Begun, ChainResult, StepRun


@click.group(cls=Group, example='hob chain run feature "Name several webhook secrets"')
def command() -> None:
    """Declared chains of agents: who works after whom, and who sends work back."""


@command.command("run", cls=HobCommand, example='hob chain run feature "Name several webhook secrets"')
@click.argument("name")
@click.argument("objective")
@folder_option(
    old="--repo",
    about="Any folder of a repository that the agents may look into.",
    default=None,
    type=EXISTING,
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def run(name: str, objective: str, folder: Path | None, as_json: bool) -> int:
    """Carries out a chain, by its name or the path of its file, and prints what it gives.

    Progress goes to stderr. Ends with 1 when a step fails for good or the work is not accepted.
    """
    from bot.log import setup

    setup("error")
    if not objective.strip():
        raise click.UsageError("the objective is empty")
    with TellWaiting(f"chain {name}"):
        result = asyncio.run(_run(name, objective, folder))
    if as_json:
        click.echo(json.dumps(asdict(result)))
        return int(bool(result.failure))
    if result.answer:
        click.echo(_clean(result.answer))
    if result.failure:
        say(f"the chain {result.chain} did not come to its end: {result.reason}")
    return int(bool(result.failure))


@command.command("list", cls=HobCommand, example="hob chain list --json")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def list_(as_json: bool) -> None:
    """Names the chains there are, those of HOB_PROMPTS too."""
    from bot.prompting import load_chain, names

    chains = [load_chain(name) for name in names("chains", ".toml")]
    if as_json:
        shown = [
            {"name": each.name, "description": each.description, "steps": [step.name for step in each.steps]}
            for each in chains
        ]
        click.echo(json.dumps({"chains": shown}))
        return
    for each in chains:
        click.echo(f"{each.name}: {each.description} ({' > '.join(step.name for step in each.steps)})")


async def _run(name: str, objective: str, folder: Path | None) -> ChainResult:
    from bot.scripting import Workshop

    async with Workshop(repo=folder, tell=lambda line: say(f"  {line}")) as shop:
        return await shop.chain(name, objective, told)


def told(event: Begun | StepRun) -> None:
    """One line of progress."""
    what = f"{event.step}: {event.title}" if event.title else event.step
    round_ = f" (round {event.round})" if event.round > 1 else ""
    if isinstance(event, Begun):
        say(f"{what}{round_} …")
    elif not event.good:
        say(f"{what}{round_} failed: {event.reason[:400]}")
    else:
        verdict = {True: "accepted, ", False: f"sent back ({event.text[:200]}), ", None: ""}[event.accepted]
        say(f"{what}{round_} done: {verdict}{event.model} on {event.host}, {event.seconds:.1f} s")


def say(line: str) -> None:
    from bot.cli.waiting import say as say_above
    from bot.log import redact

    say_above(redact(" ".join(_clean(line).split())))


def _clean(text: str) -> str:
    """A model's words without what could steer a terminal."""
    from bot.core.text import for_terminal

    return for_terminal(text)
