"""What a log line shows, and what it cannot show."""

import base64
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import log

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAabc\nmnopqrstuvwxyz\n-----END RSA PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins and leaves without secrets."""
    monkeypatch.setattr(log, "_secrets", {})
    monkeypatch.setattr(log, "_passing", {})
    monkeypatch.setattr(log, "_forms", ())


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What `speak`, a logger with Hob's formatter, has written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.JsonFormatter())
    logger = logging.getLogger("speak")
    logger.handlers[:] = [handler]
    logger.setLevel("DEBUG")
    logger.propagate = False
    yield stream
    logger.handlers.clear()


speak = logging.getLogger("speak")


def test_a_line_is_one_json_object_with_the_bound_fields(lines: io.StringIO) -> None:
    with log.bind(delivery="d-1", run="r-2"):
        speak.info("taken\nand kept", extra={"repo": "o/r"})
    assert lines.getvalue().count("\n") == 1
    line = json.loads(lines.getvalue())
    assert (line["message"], line["delivery"], line["run"], line["repo"], line["level"]) == (
        "taken\nand kept",
        "d-1",
        "r-2",
        "o/r",
        "info",
    )


def test_bound_fields_end_with_their_block() -> None:
    with log.bind(delivery="d-1"), log.bind(run="r"):
        assert (log.bound("delivery"), log.bound("run")) == ("d-1", "r")
    assert log.bound("delivery") == ""


@pytest.mark.parametrize(
    "secret", ["s3cret-value", 'with "quotes" and \\', "zwei\nZeilen\tgeheim", "pässwörd-ü", "a b/c?d&e=f"]
)
def test_K5_a_registered_secret_is_hidden_in_every_form(lines: io.StringIO, secret: str) -> None:
    log.hide(secret)
    speak.debug("message %s", secret)
    speak.debug("repr %r", {"key": secret})
    speak.debug("field", extra={"field": secret, "nested": {"list": [secret]}})
    speak.debug("base64 %s", base64.b64encode(secret.encode()).decode())
    try:
        raise ValueError(f"in a traceback: {secret}")
    except ValueError:
        speak.exception("failed")
    shown = lines.getvalue()
    for line in shown.splitlines():
        assert secret not in json.dumps(json.loads(line), ensure_ascii=False)
        assert secret not in str(json.loads(line))
    assert shown.count(log.HIDDEN) >= 6
    assert base64.b64encode(secret.encode()).decode().rstrip("=") not in shown


@pytest.mark.parametrize(
    "shape",
    [
        "ghs_" + "A1b2" * 10,
        "ghs_12345_eyJhbGciOi.eyJpc3MiOiJ" + "x-_" * 60 + ".sig",
        "github_pat_11ABC" + "d" * 40,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjF9.c2lnbmF0dXJl",
        PEM,
    ],
)
def test_K5_a_token_nobody_registered_is_hidden_by_its_shape(lines: io.StringIO, shape: str) -> None:
    speak.error("got %s here", shape, extra={"header": f"Bearer {shape}"})
    speak.error("%s", {"cut": PEM[:60] if shape == PEM else shape})
    assert shape not in lines.getvalue()
    assert "MIIEow" not in lines.getvalue()
    assert "c2lnbmF0dXJl" not in lines.getvalue()


def test_short_values_are_no_secrets(lines: io.StringIO) -> None:
    log.hide("abc")
    log.hide("")
    speak.info("abcdef")
    assert json.loads(lines.getvalue())["message"] == "abcdef"


def test_tokens_are_forgotten_in_their_turn_and_lasting_secrets_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "MOST_PASSING", 3)
    log._passing.clear()
    log.hide("the-lasting-secret")
    for number in range(10):
        log.hide(f"passing-secret-{number}", passing=True)
    hidden = [name for name in log.hidden() if name.startswith("passing-secret-")]
    assert hidden == [f"passing-secret-{number}" for number in (7, 8, 9)]
    assert log.redact("the-lasting-secret passing-secret-9") == f"{log.HIDDEN} {log.HIDDEN}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is there on Linux only")
def test_R7_a_log_on_a_full_disk_loses_its_lines_and_nothing_else() -> None:
    work = """
import logging, sys
from bot import log
log.setup("debug")
for number in range(200):
    logging.getLogger("bot.tea").warning("line %s", "x" * 1000)
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("with a traceback")
print("worked on")
"""
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-c", work]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert done.stdout == "worked on\n"


def test_a_token_that_has_ended_is_forgotten_and_a_lasting_secret_is_not() -> None:
    log.hide("the-lasting-secret")
    log.hide("the-passing-secret", passing=True)
    log.forget("the-passing-secret")
    log.forget("the-lasting-secret")
    log.forget("never-heard-of-it")
    assert log.redact("the-passing-secret the-lasting-secret") == f"the-passing-secret {log.HIDDEN}"
    assert "the-passing-secret" not in log.hidden()


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ("GET https://u:sec" + "ret@h/x failed", "GET https://[hidden]@h/x failed"),
        ("redis://:p@ss:w" + "ord@[::1]:6379/0 is away", "redis://[hidden]@[::1]:6379/0 is away"),
        ("key AK" + "IA1234567890ABCDEF.", "key [hidden]."),
        ("http://h:80/a@b http://h:80?x=a@b https://user:password@h", None),
        ("ASIA" + "PACIFICSOUTHEAST AK" + "IAIOSFODNN7EXAMPLE", None),
    ],
)
def test_a_login_of_a_url_and_the_id_of_a_key_are_in_no_line(said: str, logged: str | None) -> None:
    assert log.redact(said) == (logged or said)
