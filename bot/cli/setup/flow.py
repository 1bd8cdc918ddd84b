"""`hob setup` step by step: each looks what is there, does what is missing, and says so."""

import asyncio
import os
import secrets
import socket
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.cli.doctor.examine import examine
from bot.cli.doctor.installed import account
from bot.cli.setup import by_paste, keep
from bot.cli.setup.about import (
    SetupOptions,
    SetupReport,
    ask_about,
    ask_line,
    is_running,
    usual_name,
)
from bot.cli.setup.models import ModelSetup
from bot.config import Config, load_config, private_key
from bot.core.errors import ConfigError, GitHubError, TemporaryError, UserError
from bot.core.setup_steps import SetupFacts, SetupStep, next_step
from bot.github.client import GitHub
from bot.github.registration import AppRequest, RegisteredApp, api_of, install_address
from bot.github.site import site_of
from bot.web.server import QuietServer, address_of, listen, server
from bot.web.setup import HOST, Registration, SetupPages, SetupRequest

ASK_SECONDS = 3.0
"""Between two looks whether the App is installed."""
NEW_SECONDS = 60.0
"""So long GitHub may not know an App that was made just now."""


class SetupFlow:
    """One `hob setup`. `say` speaks to the person."""

    def __init__(self, options: SetupOptions, say: Callable[[str], None]) -> None:
        self.options, self.say = options, say
        self.path = keep.config_file()
        load_config(self.path)  # says what is wrong with it, before anything else is made of it
        self._before = int(keep.tree_of(self.path).get("github", {}).get("app_id") or 0)
        self.report = SetupReport(self.path, facts=SetupFacts(start=options.start))
        self.models = ModelSetup(self.path, options)
        self.pages: SetupPages | None = None
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._running: asyncio.Task[Any] | None = None

    async def run(self) -> SetupReport:
        """Until nothing is missing, or something waits for a person. UserError."""
        steps: dict[SetupStep, Callable[[], Awaitable[SetupFacts]]] = {
            "register": self._register,
            "model": self._models,
            "install": self._installed,
            "check": self._check,
        }
        self._running = asyncio.current_task()
        try:
            await self._look()
            while (step := steps.get(next_step(self.report.facts))) and not self.report.waits_for:
                self.report.facts = await step()
        finally:
            await self._close()
        return self.report

    async def _look(self) -> None:
        """What is there before anything is done."""
        config = load_config(self.path)
        if config.github.app_id and not self.options.new:
            _require_key(config)
        elif not self.options.new and (left := keep.left_over(self.path)):
            await self._take_up(config, *left)
            config = load_config(self.path)
        there = bool(config.github.app_id) and not self.options.new
        if there:
            site = site_of(config.github.api_url)
            self.report.app = await self._made(config)
            self.say(f"the App is there: @{self.report.app.slug} at {site}, in {self.path}")
        running = await asyncio.to_thread(is_running, config)
        self.report.facts = replace(self.report.facts, app=there, running=running)

    async def _take_up(self, config: Config, number: int, pem: Path, secret: Path | None) -> None:
        """An App whose storing was broken off: GitHub knows its name."""
        api_url = api_of(self.options.github) if self.options.github else config.github.api_url
        told = secret.read_text().strip() if secret else ""  # noqa: ASYNC240  a line
        app = RegisteredApp(number, "", "", pem.read_text(), told)  # noqa: ASYNC240  as short
        named = await ask_about(api_url, app)
        asked = SetupRequest(AppRequest("", public_url=self._public_url(config)), api_url)
        keep.keep_app(self.path, named, asked)
        self.say(f"{pem} was left by an earlier setup: taken up")

    async def _made(self, config: Config) -> RegisteredApp:
        """The App of hob.toml, as far as GitHub can be asked."""
        github = config.github
        app = RegisteredApp(github.app_id, github.app_slug, "", private_key(config))
        return await ask_about(github.api_url, app)

    async def _register(self) -> SetupFacts:
        config = load_config(self.path)
        await self.models.choose()
        asked = self._asked(config)
        if self.options.pasted:
            await self._paste(self.options.pasted)
        elif self.options.prints:
            await self._print(asked)
        else:
            await self._in_browser(asked)
        return replace(self.report.facts, app=self.report.app is not None)

    def _asked(self, config: Config) -> SetupRequest:
        """What is asked of GitHub, unless the person changes it."""
        app = AppRequest(
            self.options.name or usual_name(),
            self.options.organization,
            self.options.code,
            self._public_url(config),
            self.options.webhook_url,
        )
        api_url = api_of(self.options.github) if self.options.github else config.github.api_url
        return SetupRequest(app, api_url)

    def _public_url(self, config: Config) -> str:
        return self.options.public_url.rstrip("/") or config.server.public_url

    async def _in_browser(self, asked: SetupRequest) -> None:
        """A page on loopback until GitHub has led back to it. It stays until the end, for who goes back."""
        try:
            listening = listen(HOST, self.options.port)
        except UserError as wrong:
            raise UserError(str(wrong), "name another --port, or none: a free one is taken") from None
        registration = Registration(self._keep)
        self.pages = SetupPages(secrets.token_urlsafe(32), address_of(listening), asked, registration)
        self.pages.model, self.pages.download = self.models.words, self.models.fetched
        self._server = server(self.pages.app(), listening)
        self._serving = asyncio.create_task(_serve(self._server, listening))
        self._serving.add_done_callback(self._interrupt)
        self._open(self.pages.link, "open this in a browser on this machine, once")
        if os.environ.get("SSH_CONNECTION"):
            port = listening.getsockname()[1]
            self.say(
                f"from another machine: ssh -L {port}:{HOST}:{port} THIS-MACHINE there, and the same link;"
            )
            self.say("or stop here (Ctrl-C) and take hob setup --print")
        await registration.done.wait()
        self._registered(registration)

    def _registered(self, registration: Registration) -> None:
        app, asked = registration.made, registration.asked
        if app and asked:
            self.report.app = app
            self.models.agreed = self.options.yes or asked.pull
            self.say(f"the App {app.slug} is made; its key is in {self.path.parent}, for you only")

    async def _print(self, asked: SetupRequest) -> None:
        page = by_paste.write_page(self.path.parent, asked)
        self.say(by_paste.HOW.format(page=page))
        if not self.options.asks:
            self.report.waits_for = "hob setup --paste 'ADDRESS'"
            return
        await self._paste(await ask_line("The address: "))

    async def _paste(self, pasted: str) -> None:
        waited = by_paste.pending(self.path.parent)
        code, state = by_paste.code_and_state(pasted, waited)
        registration = Registration(self._keep)
        registration.states.put(waited.state, waited.request, waited.until)
        try:
            await registration.finish(state, code)
        except TemporaryError as wrong:
            raise UserError(str(wrong), "the same address may be given again") from None
        by_paste.forget(self.path.parent)
        self._registered(registration)

    async def _keep(self, app: RegisteredApp, asked: SetupRequest) -> None:
        await asyncio.to_thread(keep.keep_app, self.path, app, asked, self._before)

    async def _models(self) -> SetupFacts:
        await self.models.settle(self._news)
        self.report.host, self.report.model = self.models.host, self.models.choice
        return replace(self.report.facts, model=True)

    async def _installed(self) -> SetupFacts:
        """Waits until somebody has put the App on repositories."""
        config, app = load_config(self.path), self.report.app
        if app is None:
            return self.report.facts
        began = asyncio.get_running_loop().time()
        told = False
        async with GitHub(config.github.api_url, app.id, private_key(config), slug=app.slug) as github:
            while True:
                waited = asyncio.get_running_loop().time() - began
                try:
                    found = await github.app().get_all("/app/installations", cap=100)
                except (TemporaryError, GitHubError) as wrong:
                    if isinstance(wrong, GitHubError) and waited > NEW_SECONDS:
                        raise UserError(
                            str(wrong), "app_id and key belong to one App? see `hob doctor`"
                        ) from None
                    found = []
                self.report.accounts = [account(one) for one in found if not one.get("suspended_at")]
                if self.report.accounts:
                    self._news(f"installed on {', '.join(self.report.accounts)}")
                    return replace(self.report.facts, installed=True)
                if not told:
                    told = True
                    link = install_address(app.html_url)
                    if self._serving:  # the browser was led there
                        self._news(f"waiting for the App to be installed: {link}")
                    else:
                        self._open(link, "install the App on your repositories")
                if waited > self.options.minutes * 60:
                    self.report.waits_for = install_address(app.html_url)
                    return self.report.facts
                await asyncio.sleep(ASK_SECONDS)

    async def _check(self) -> SetupFacts:
        self.report.checks = await examine()
        return replace(self.report.facts, checked=True, start=self.options.start and self.report.healthy)

    def _news(self, line: str) -> None:
        self.say(line)
        if self.pages:
            self.pages.news.append(line)

    def _open(self, link: str, words: str) -> None:
        """In the browser where there is one, and always as text."""
        self.say(f"{words}:\n\n  {link}\n")
        seen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
        on_mac = os.uname().sysname == "Darwin" and not os.environ.get("SSH_CONNECTION")
        if self.options.browser and (seen or on_mac):
            webbrowser.open(link)

    async def _close(self) -> None:
        """Ends the pages. KeyboardInterrupt where a person did (Ctrl-C goes to their server)."""
        if self._serving is None or self._server is None:
            return
        interrupted = self._serving.done()
        self._serving.remove_done_callback(self._interrupt)
        self._server.stop()
        await asyncio.wait([self._serving], timeout=5)
        if interrupted:
            raise KeyboardInterrupt

    def _interrupt(self, _: object) -> None:
        if self._running:
            self._running.cancel()


async def _serve(running: QuietServer, listening: socket.socket) -> None:
    await running.serve(sockets=[listening])
    listening.close()


def _require_key(config: Config) -> None:
    """ConfigError where hob.toml names an App whose key cannot be used."""
    try:
        private_key(config)
    except ConfigError as wrong:
        more = "; or `hob setup --new` makes another App, and keeps what there is"
        raise ConfigError(str(wrong), f"{wrong.hint}{more}") from None
