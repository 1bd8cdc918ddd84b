"""What is fuzzed: for each target how bytes are read, which exceptions are a refusal, and what must hold
afterwards. Any other exception, and any AssertionError, is a finding."""

import asyncio
import contextlib
import hmac
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, fields, is_dataclass
from typing import Any
from unittest import mock

from pydantic import BaseModel

from bot.agents.issue import TriageAnswer
from bot.agents.patch import WishedPatch
from bot.agents.review.answers import ReviewAnswer
from bot.checks import reports as coverage_reports
from bot.config import load
from bot.core import edits, junit
from bot.core.commands import MOST_COMMANDS, parse_commands
from bot.core.diff import BadPatch, FileDiff, anchor, git_diff_text, parse_git_diff, parse_patch, patch_text
from bot.core.diff.anchor import anchors
from bot.core.errors import BadPayload, ConfigError, GitHubError
from bot.core.guidelines import imports, owners, scope
from bot.core.hostile_xml import BadReport
from bot.core.hosts import HostModel
from bot.core.skills import fitting
from bot.core.skills import read as read_skill
from bot.core.text import utf8_size
from bot.github import artifacts, hobyml, issue_forms, other_reviewers, recipes
from bot.github.api import ApiPage
from bot.github.deliveries import HookDeliveries
from bot.github.payloads import parse
from bot.inference.runners import ChatRequest, RunnerError, anthropic, ollama, openai
from bot.inference.runners.streams import Speech
from bot.inference.runners.tools import meant
from bot.inference.structured_output import understood
from bot.patterns import wanted
from bot.sanitise import MOST_BYTES, harmless, plain
from bot.web.body import BodyReader
from bot.web.webhook import Receiver
from tests.fuzz import samples


@dataclass(frozen=True, slots=True)
class Target:
    """`read` gives nothing; `refusals`: how it may say no to what is none. `values`: JSON values from which
    inputs are made by changing parts, and `written` how one stands in an input."""

    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    seeds: tuple[bytes, ...] = (b"",)
    values: tuple[Any, ...] = ()
    written: Callable[[Any], bytes] = lambda value: json.dumps(value).encode()
    rate: float = 0.05
    """Seconds for 10 kB on a quiet machine that are not slow: twice what the worst shape takes that is known,
    with what is held against it afterwards."""


def text_of(data: bytes) -> str:
    """As text comes over a wire: JSON can say half a surrogate pair, so that stays."""
    return data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")


def said(data: bytes) -> str:
    try:
        return text_of(data)
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def named(data: bytes) -> tuple[str, str]:
    """The first line and the rest."""
    name, _, rest = said(data).partition("\n")
    return name.strip(), rest


def driven(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def storable(value: object) -> None:
    """Every text in it can be stored and sent."""
    if isinstance(value, str):
        assert "\0" not in value
        value.encode()
    elif is_dataclass(value):
        for one in fields(value):
            storable(getattr(value, one.name))
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            storable(one)
    elif isinstance(value, dict):
        storable([*value.keys(), *value.values()])


def diff(data: bytes) -> None:
    text = said(data)
    lines = text.splitlines()[:9]
    files = []
    with contextlib.suppress(BadPatch):
        files = [FileDiff("a.py", "modified", parse_patch(text))]
    assert all(parse_patch(patch_text(one)) == one.hunks for one in files)
    files += (whole := parse_git_diff(text))
    again = parse_git_diff(git_diff_text(whole))
    assert [(one.path, one.hunks) for one in again] == [(one.path, one.hunks) for one in whole]
    for file in files:
        for line in lines:
            anchors(file, line)
            found = anchor(file, line)
            assert found is None or found.line >= 1


KNOWN = frozenset({"review", "fix", "help", "ask", "explain", "ignore"})


def commands(data: bytes) -> None:
    text = said(data)
    found = parse_commands(text, "hob-bot", known=KNOWN)
    assert len(found) <= MOST_COMMANDS
    assert all(one.name for one in found)
    assert not parse_commands(text, "hob-bot", text, known=KNOWN), "an edit that changes nothing commands"
    quoted = "".join(f"> {line}\n" for line in text.split("\n"))
    if not any(sign in text for sign in "<\r$"):
        assert not parse_commands(quoted, "hob-bot", known=KNOWN), "a quotation commands"


SECRET = b"It's a Secret to Everybody"
ANSWERS = {202, 400, 401, 405, 413, 415}


def envelope(data: bytes) -> None:
    """Lines of headers, an empty line, a body; signed where no signature stands there."""
    head, _, body = data.partition(b"\n\n")
    headers = [
        (name.strip().lower(), value.strip())
        for name, _, value in (line.partition(b":") for line in head.split(b"\n"))
    ]
    if not all(value.isdigit() for name, value in headers if name == b"content-length"):
        return  # the server's parser of HTTP lets no other in
    if not any(name == b"x-hub-signature-256" for name, _ in headers):
        signature = hmac.digest(SECRET, body, "sha256").hex()
        headers.append((b"x-hub-signature-256", f"sha256={signature}".encode()))
    status, stored = asyncio.run(_posted(headers, body))
    assert status in ANSWERS, status
    assert (status == 202) == bool(stored)
    event = dict(headers).get(b"x-github-event", b"").decode("ascii", "replace")
    storable(parse(event, "guid", body))


async def _posted(headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, list[Any]]:
    stored: list[Any] = []
    sent: list[dict[str, Any]] = []

    def put(new: Any) -> Future[bool]:
        stored.append(new)
        future: Future[bool] = Future()
        future.set_result(True)
        return future

    async def receive() -> dict[str, Any]:
        if sent:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    receiver = Receiver((SECRET,), put, lambda: None, BodyReader(1 << 20))
    await receiver({"type": "http", "method": "POST", "path": "/webhook", "headers": headers}, receive, send)  # type: ignore[arg-type]
    return sent[0]["status"], stored


def hob_toml(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file, mock.patch.object(load, "hide"):
        file.write(data)
        file.flush()
        load.load_config(file.name, {})


def hob_yml(data: bytes) -> None:
    settings, complaints = hobyml.read(said(data))
    storable([settings, complaints])
    assert len(complaints) <= hobyml.MOST_COMPLAINTS + 1


FOREIGN = (
    ".coderabbit.yaml",
    ".pr_agent.toml",
    "CODEOWNERS",
    "CLAUDE.md",
    "a.mdc",
    "bug.yml",
    "bug.md",
    "tidy",
)


def foreign(data: bytes) -> None:
    """The first line is a file's name, the rest the file."""
    name, text = named(data)
    if name.startswith("."):
        values, sentence = other_reviewers.read(name, text)
        storable(values)
        assert len(sentence) < 5_000
    elif name == "CODEOWNERS":
        owners(text, ["src/a.py"], wanted)
    elif name == "tidy":
        recipes.read(name, text, {}, lambda _: True)
    elif name.startswith("bug."):
        issue_forms.form(text)
    else:
        scope(name, text)
        skill = read_skill(name or "x", text)
        assert fitting([skill], [name, text[:200]], wanted) in ([], [skill])
        assert not any(path.startswith(("/", "..")) for path in imports("docs/CLAUDE.md", text))


def markdown(data: bytes) -> None:
    from tests.test_sanitise import ORDER, assert_harmless

    text = said(data)
    once = harmless(text, repo="o/r")
    assert_harmless(once)
    assert not ORDER.search(once)
    assert utf8_size(once) <= MOST_BYTES
    once.encode()
    assert harmless(once, repo="o/r") == once, "what went through once changes"
    assert "\n" not in plain(text, 200)


def answers(data: bytes) -> None:
    text = said(data)
    for shape in (ReviewAnswer, TriageAnswer, WishedPatch):
        for whole in (True, False):
            try:
                value, _ = understood(shape, text, whole=whole)
                assert isinstance(value, BaseModel)
            except ValueError:
                continue
    meant(text, ["read_file", "run_tests"])


class _Waiter:
    first_token_seconds = 0.0

    def token(self) -> None: ...


class _Body:
    def __init__(self, data: bytes, cut: int) -> None:
        self._parts = [data[at : at + cut] for at in range(0, len(data), cut)]

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


REQUEST = ChatRequest(HostModel("m", 8192), "Be kind.", "Hello", {}, 8192, 500)
LISTENERS: tuple[Callable[..., Any], ...] = (ollama.listen, openai._listen, anthropic._listen)


def streams(data: bytes) -> None:
    """The first byte tells where the body is cut into parts."""
    cut, body = (data[0] % 40 + 1, data[1:]) if data else (1, b"")
    for listen in LISTENERS:
        outcomes = [driven(_heard(listen, body, size)) for size in (cut, len(body) + 1)]
        assert outcomes[0] == outcomes[1], "how it is cut changes what is heard"


async def _heard(listen: Callable[..., Any], body: bytes, cut: int) -> object:
    heard: list[str] = []
    try:
        reply = await listen(_Body(body, cut), Speech(_Waiter(), heard.append), REQUEST)  # type: ignore[arg-type]
    except RunnerError as error:
        return type(error)
    assert "".join(heard) == reply.text
    return reply


HEADS = {"src/a.py": "x = 1\ny = 2\nx = 1\n", "b.txt": "one\r\ntwo\r\n", "é.md": "# é\n"}


def patches(data: bytes) -> None:
    try:
        wished = WishedPatch.model_validate_json(data)
    except ValueError:
        return
    made = [
        edits.FileEdit(one.path, one.search, one.replace, one.delete, one.rename_to) for one in wished.edits
    ]
    done = edits.apply(made, HEADS)
    assert not (done.problems and done.texts)
    for path, text in done.texts.items():
        parts = path.casefold().split("/")
        assert not {"", ".", "..", ".git", ".github"} & set(parts), path
        assert not path.startswith(("/", "~", "-")) and "\\" not in path, path
        path.encode()
        assert text is None or ("\0" not in text and text.encode() is not None)
    assert edits.apply(list(reversed(made)), HEADS).texts == done.texts, "the order of edits means something"


def test_reports(data: bytes) -> None:
    names = junit.read(data)
    assert not names.passed & names.failed
    storable([*names.passed, *names.failed])
    assert all(0 < len(one) <= junit.LONGEST_NAME and "\n" not in one for one in names.passed | names.failed)


def coverage(data: bytes) -> None:
    coverage_reports.read(said(data))


def archives(data: bytes) -> None:
    found = artifacts.unpacked(data)
    storable(found)
    assert sum(map(len, found.values())) <= artifacts.MOST_REPORT


class _Api:
    """GitHub, whose answer is what is fuzzed."""

    def __init__(self, data: Any, following: str) -> None:
        self._data, self._following = data, following

    async def get_page(self, *_: object) -> ApiPage:
        return ApiPage(self._data, self._following, 1.0, 1.0)

    async def get(self, *_: object) -> Any:
        return self._data


def deliveries(data: bytes) -> None:
    """The first line is the address of the next page, the rest JSON: a page, or a delivery's payload."""
    following, text = named(data)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return
    kept = HookDeliveries(_Api(told, following))  # type: ignore[arg-type]
    with contextlib.suppress(GitHubError):
        page = driven(kept.page())
        storable([page.deliveries, page.following])
        assert all(0 < one.id < 2**63 and one.delivered_at > 0 for one in page.deliveries)
    with contextlib.suppress(GitHubError):
        driven(kept.payload(1))


TARGETS: dict[str, Target] = {
    "diff": Target(
        diff,
        (BadPatch,),
        (samples.GIT.encode(), samples.GIT.partition("+++ b/b.py\n")[2].encode()),
        rate=0.25,
    ),
    "commands": Target(commands, (), samples.SAID_TO_HOB, rate=1.3),
    "envelope": Target(envelope, (BadPayload,), (), tuple(samples.bodies()), samples.posting),
    "hob_toml": Target(hob_toml, (ConfigError,), (samples.TOML.encode(),), rate=0.2),
    "hob_yml": Target(hob_yml, (), (samples.YML.encode(),), rate=0.2),
    "foreign": Target(foreign, (), samples.FILES, rate=0.2),
    "markdown": Target(markdown, (), samples.MARKUP, rate=7.0),
    "answers": Target(
        answers,
        (),
        (b"<think>x</think>\n```json\n{'a': 1,}\n```",),
        (samples.ANSWER, samples.TRIAGED, samples.PATCH),
        rate=1.3,
    ),
    "streams": Target(streams, (), samples.BROKEN_OFF, samples.SPOKEN, samples.spoken, rate=0.2),
    "patches": Target(patches, (), (), (samples.PATCH,)),
    "test_reports": Target(test_reports, (BadReport,), (samples.JUNIT.encode(),)),
    "coverage": Target(coverage, (BadReport,), (samples.COBERTURA.encode(), samples.LCOV)),
    "archives": Target(archives, (), samples.ARCHIVES),
    "deliveries": Target(
        deliveries, (), (), ([samples.LISTED, samples.LISTED], samples.LISTED), samples.listed
    ),
}
