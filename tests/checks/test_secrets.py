"""Credentials on added lines: found by their shape, never repeated, placeholders left alone."""

import secrets as random
import string

import pytest

from bot.checks import secrets
from bot.core.check_input import CheckedChange
from bot.core.diff import FileDiff, parse_patch
from bot.core.findings import Finding
from tests.checks.changes import no_program

ALPHABET = string.ascii_letters + string.digits


def token(length: int, alphabet: str = ALPHABET) -> str:
    return "".join(random.choice(alphabet) for _ in range(length))


async def judged(file: FileDiff) -> list[Finding]:
    return await secrets.run(CheckedChange((file,)), no_program) or []


REAL = {
    "AWS access key": lambda: f"key = '{'AK' + 'IA'}{token(16, string.ascii_uppercase + '234567')}'",
    "GitHub token": lambda: f"gh{'p_'}{token(36)}",
    "xAI key": lambda: f"xa{'i-'}{token(80)}",
    "Groq key": lambda: f"gs{'k_'}{token(52)}",
    "Google OAuth secret": lambda: f"GOC{'SPX-'}{token(28)}",
    "Azure storage key": lambda: f"Account{'Key='}{token(86)}==",
    "DigitalOcean token": lambda: f"dop{'_v1_'}{token(64, '0123456789abcdef')}",
    "Telegram bot token": lambda: f"{token(9, string.digits)}:A{'A'}{token(33)}",
    "Docker Hub token": lambda: f"dckr{'_pat_'}{token(27)}",
    "private key": lambda: "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Stripe key": lambda: f"sk_{'live'}_{token(24)}",
    "Anthropic key": lambda: f"sk-{'ant'}-api03-{token(80)}",
    "Slack token": lambda: f"xox{'b'}-{token(12, string.digits)}-{token(24)}",
    "password in a URL": lambda: f"postgresql://tea:{token(12)}@db.internal/tea",
    "hard-coded credential, bare": lambda: f"export TEA_SECRET={random.token_hex(20)}",
    "hard-coded credential": lambda: f'API_KEY = "{token(32)}"',
}


@pytest.mark.parametrize("kind", REAL)
async def test_each_kind_is_found_on_an_added_line_and_not_repeated(kind: str) -> None:
    line = REAL[kind]()
    file = FileDiff("a.py", "modified", parse_patch(f"@@ -1,2 +1,3 @@\n same\n+{line}\n rest"))
    (found,) = await judged(file)
    sure = "major" if kind.startswith(("hard-coded", "password")) else "critical"
    assert (found.line, found.severity, found.source) == (2, sure, "secrets")
    assert kind.partition(",")[0].lower() in found.title.lower()
    value = max(line.replace('"', " ").replace("'", " ").split(), key=len)
    assert value not in found.title + found.body + found.quote


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['PASSWORD']",
        'password = "your-password-here"',
        "AKIA" + "IOSFODNN7EXAMPLE",
        'secret = "correct horse battery"',
        "url = 'postgresql://user:password@localhost/db'",
        'api_key = "${API_KEY_FROM_VAULT}"',
        "token_count = 'twelve tokens'",
        "secret_key = get_the_secret_key_from_settings",
        "token: kettle-green-tea-brewing-service-account",
        "TOKEN_LIMIT=100000000000000000000000000",
        "api_key=ReadTheApiKeyFromTheEnvironment2024",
        "password_hash = 0123456789012345678901234567",
    ],
)
def test_placeholders_are_left_alone(line: str) -> None:
    assert secrets.surest(line) is None


async def test_removed_and_unchanged_lines_are_not_judged() -> None:
    line = REAL["GitHub token"]()
    file = FileDiff("a.py", "modified", parse_patch(f"@@ -1,2 +1,2 @@\n {line}\n-{line}\n+x = 1"))
    assert await judged(file) == []


def test_a_line_of_a_megabyte_is_judged_by_its_beginning() -> None:
    assert secrets.surest("a:" * 500_000 + "@b") is None
