"""`hob implement`."""

import asyncio
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, folder_option

LONGEST_NAME = 50
NO_TESTS = "Tests: No test was run: nothing of the repository is run here."


@click.command(
    cls=HobCommand,
    example='hob implement "Let brew() refuse cold water"\n'
    'hob implement "Name the kettle" --dry-run | git apply',
)
@click.argument("objective")
@folder_option(old="--repo")
@click.option("--branch", default="", help="Of the new branch; by default hob/ and words of the objective.")
@click.option("--base", default="", help="The branch or commit to begin at; by default HEAD.")
@click.option("--dry-run", is_flag=True, help="Only prints the change: nothing is written to the repository.")
@click.option("--model", default="", help="Instead of those of [models]: NAME or NAME@HOST.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    objective: str, folder: Path, branch: str, base: str, dry_run: bool, model: str, as_json: bool
) -> int:
    """Writes a change of the local repository as one commit on a new branch, and prints it as a diff.

    A plan, one patch, a second look, within the budget of [code] in hob.toml; what is committed is read, and
    what is not is not seen. The branch is made of git's objects: your work tree, index and hooks are not
    touched, and nothing of the repository is run. Ends with 1 where there is no change, or one that a second
    look did not accept: that is on the branch too, and what is missing is said.
    """
    from bot.log import setup

    setup("error")
    objective = objective.encode("utf-8", "replace").decode()  # words of another encoding
    if not objective.strip():
        raise click.UsageError("the objective is empty")
    return asyncio.run(_implement(objective, folder, branch, base, dry_run, model, as_json))


async def _implement(
    objective: str, folder: Path, branch: str, base: str, dry_run: bool, model: str, as_json: bool
) -> int:
    from bot.cli.chain import say, told
    from bot.cli.review.progress import Asked
    from bot.local import find_root
    from bot.local.branch import commit_to, refuse_taken
    from bot.local.change import is_bare
    from bot.local.implement import implement_here, starting_point
    from bot.local.uncommitted import count_uncommitted
    from bot.scripting import Workshop

    root = await find_root(folder)
    start = await starting_point(root, base)
    branch = branch or _branch(objective)
    if not dry_run:
        await refuse_taken(root, branch)
    bare = await is_bare(root)
    say(f"beginning at {start[:12]}{f' ({base})' if base else ''}")
    if not bare and (number := await count_uncommitted(root)):
        say(f"what is not committed is not seen: {number} {'file' if number == 1 else 'files'}")
    async with Workshop(repo=None if bare else root, base=(root, start), tell=say) as shop, Asked() as asked:
        infer = asked.through(shop.infer(models=(model,) if model else ()))
        work = await implement_here(
            root, start, objective, infer, shop.library, shop.config.code.budget(), told
        )
    commit = ""
    if work.files and not dry_run:
        commit = await commit_to(root, branch, start, work.files, _message(objective, work))
    if as_json:
        click.echo(json.dumps(_as_json(work, branch if commit else "", commit, dry_run)))
    else:
        _print(work.diff)
        _tell(work, say, branch if commit else "", commit)
    return int(not work.done.accepted)


def _branch(objective: str) -> str:
    """Of words that every system takes in a file's name."""
    plain = unicodedata.normalize("NFKD", objective[:400]).encode("ascii", "ignore").decode().casefold()
    words = "-".join(re.findall(r"[a-z0-9]{1,50}", plain))[:LONGEST_NAME].strip("-")
    return f"hob/{words or 'implement'}"


def _message(objective: str, work: Any) -> str:
    from bot.core.text import one_line

    subject = one_line(objective.strip().partition("\n")[0], 72)
    return f"{subject}\n\n{work.done.patched.summary}"


def _print(diff: str) -> None:
    """As `git apply` takes it; on a terminal without what could steer that."""
    from bot.core.text import for_terminal

    click.echo(for_terminal(diff) if sys.stdout.isatty() else diff.encode("utf-8", "replace"), nl=False)


def _tell(work: Any, say: Any, branch: str, commit: str) -> None:
    """What was done, what was not, and how it was checked."""
    from bot.agents.implement import told
    from bot.agents.patch import PatchChecks, listed
    from bot.proposals import told_checks

    made = work.done.patched
    if made.why:
        hint = " — `hob doctor` says what each host lacks" if "no model host" in made.why else ""
        say(f"hob: there is no patch: {made.why}{hint}")
        return
    lines = [made.summary, f"Changed: {listed(made.texts)}."]
    lines += [f"Not read whole: {', '.join(made.unread)}."] if made.unread else []
    lines += [*told_checks(made.checks or PatchChecks(), None)[:-1], NO_TESTS]
    lines += told(work.done).splitlines()
    lines += [f"{branch} is one commit on top of {work.base[:12]}: git switch {branch}"] if branch else []
    for line in lines:
        if line.strip():
            say(line.replace("**", ""))


def _as_json(work: Any, branch: str, commit: str, dry_run: bool) -> dict[str, Any]:
    done = work.done
    made = done.patched
    return {
        "summary": made.summary,
        "branch": branch,
        "commit": commit,
        "base": work.base,
        "dry_run": dry_run,
        "files": [{"path": one.path, "deleted": one.text is None} for one in work.files],
        "diff": work.diff,
        "plan": [{"text": one.text, "done": number in done.done} for number, one in enumerate(done.steps, 1)],
        "accepted": done.accepted,
        "remarks": done.remarks,
        "stopped": done.stopped,
        "failure": made.why,
        "unread": list(made.unread),
        "models": sorted({f"{one.model}@{one.host}" for one in made.usage}),
        "tokens": sum(one.tokens_in + one.tokens_out for one in made.usage),
    }
