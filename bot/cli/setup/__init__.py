"""`hob setup`."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.framework import HobCommand, NumberRange, is_debug
from bot.core.errors import ConfigError, UserError
from bot.core.text import for_terminal

if TYPE_CHECKING:
    from bot.cli.setup.about import SetupOptions, SetupReport


@click.command(
    cls=HobCommand,
    example="hob setup\nhob setup --org my-company --code\nhob setup --print       # no browser here",
)
@click.option("--name", default="", help="Of the App, instead of one made up for you.")
@click.option(
    "--org", default="", help="An organisation that is to own the App, instead of your own account."
)
@click.option("--code", is_flag=True, help="Ask for what writing code takes, too.")
@click.option("--github", default="", help="The address of a GitHub Enterprise Server.")
@click.option("--public-url", default="", help="Where GitHub reaches this Hob; without one Hob asks GitHub.")
@click.option(
    "--webhook-url", default="", help="Without one: where GitHub sends in vain, if not to .invalid."
)
@click.option("--host", default="", help="The address of a model host, instead of looking for one here.")
@click.option("--model", default="", help="Instead of the one that fits this machine.")
@click.option("--yes", is_flag=True, help="Fetch the model without asking.")
@click.option(
    "--print", "prints", is_flag=True, help="Write a page to open elsewhere, instead of serving it."
)
@click.option("--paste", "pasted", default="", metavar="ADDRESS", help="Where GitHub led after --print.")
@click.option("--new", is_flag=True, help="Make another App; what there is of the old one stays beside it.")
@click.option("--service", is_flag=True, help="Have systemd or launchd keep Hob running.")
@click.option("--no-start", is_flag=True, help="Don't run Hob at the end.")
@click.option("--no-browser", is_flag=True, help="Only print links.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Of the page, instead of a free one.")
@click.option(
    "--minutes",
    default=30.0,
    type=NumberRange(0, 1440),
    help="To wait for the installation.",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON, and don't run Hob at the end.")
def command(as_json: bool, service: bool, no_start: bool, no_browser: bool, org: str, **given: Any) -> int:
    """Makes your own GitHub App in a browser, stores its credentials, and gets Hob running.

    Finds a model host and fetches a model that fits this machine. May be run again at any time: it goes on
    with what is missing, and changes nothing that is there.
    """
    from bot.cli.setup.about import SetupOptions
    from bot.cli.setup.flow import SetupFlow
    from bot.config.addresses import http_url
    from bot.github.registration import AppRequest, api_of
    from bot.log import setup

    for option, wrong in AppRequest(given["name"] or "hob", org.lstrip("@")).complaints().items():
        raise click.BadParameter(wrong, param_hint=f"--{option}")
    for option, value in (("--public-url", given["public_url"]), ("--webhook-url", given["webhook_url"])):
        try:
            http_url(value)
        except ValueError as wrong_url:
            raise click.BadParameter(f"it is not {wrong_url}", param_hint=option) from None
    if given["github"]:
        try:
            api_of(given["github"])
        except ConfigError as no_address:
            raise click.BadParameter(f"{no_address}, {no_address.hint}", param_hint="--github") from None

    setup("debug" if is_debug() else "error")
    options = SetupOptions(
        **given,
        organization=org.lstrip("@"),
        start=not no_start and not as_json and not service,
        browser=not no_browser and not as_json,
        asks=sys.stdin.isatty() and not as_json,
    )

    def say(line: str) -> None:
        click.echo(for_terminal(line), err=as_json)

    report = asyncio.run(_run(SetupFlow, options, say))
    if as_json:
        click.echo(json.dumps(_as_json(report)))
    elif report.checks:
        _show(report)
    if report.waits_for and not as_json:
        say(f"waits for you: {report.waits_for}\nthen run hob setup again: it goes on from there")
    if not report.healthy:
        return 0 if report.app is None and report.waits_for else 1  # a page was asked for, and is there
    return _keep_running(report, options, service, say)


async def _run(flow: Any, options: "SetupOptions", say: Any) -> "SetupReport":
    report: SetupReport = await flow(options, say).run()
    return report


def _show(report: "SetupReport") -> None:
    from bot.cli.doctor import show

    show(report.checks)
    if not report.healthy:
        click.echo(
            "mend what fails, then run hob setup again: it goes on from there (`hob up` runs Hob as it is)"
        )


def _keep_running(report: "SetupReport", options: "SetupOptions", service: bool, say: Any) -> int:
    """A service, or `hob up` in place of this process."""
    program = Path(sys.executable).with_name("hob")
    if not shutil.which("hob") and program.exists():
        say(f"hob is {program}; to type it by its name: ln -s {program} ~/.local/bin/hob")
    if service:
        from bot.cli.setup import service as services

        made = services.here(report.config)
        if report.facts.running and not made.file.exists():
            raise UserError(
                "Hob runs already, by itself", "end it (Ctrl-C where `hob up` runs), then the same again"
            )
        services.install(made)
        say(f"Hob runs as a service ({made.file}); to take it away: {'; '.join(made.undo)}")
        if made.note:
            say(made.note)
    elif report.facts.running:
        say("Hob runs already; to have it read this: start it again")
    elif not options.start:
        say("all is ready: hob up")
    else:
        say(
            "all is ready. Open a pull request: Hob reviews it within a minute or two. "
            "Ctrl-C ends Hob, `hob up` runs it again"
        )
        sys.stdout.flush()
        os.environ["HOB_CONFIG"] = str(report.config)
        os.execv(sys.executable, [sys.executable, "-m", "bot.cli", "up"])  # noqa: S606  ourselves
    return 0


def _as_json(report: "SetupReport") -> dict[str, Any]:
    app = report.app
    return {
        "config": str(report.config),
        "app": {"id": app.id, "slug": app.slug, "page": app.html_url} if app else None,
        "installed_on": report.accounts,
        "host": report.host.url if report.host else None,
        "model": report.model.name if report.model else None,
        "healthy": report.healthy,
        "checks": [
            {"check": one.name, "ok": one.ok, "detail": one.detail, "hint": one.hint} for one in report.checks
        ],
        "running": report.facts.running,
        "waits_for": report.waits_for or None,
    }
