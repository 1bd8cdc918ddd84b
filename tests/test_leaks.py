"""Hob's own secrets are known again in what it is about to post, however they are written."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sanitise.leaks import leaks

SECRETS = st.text(alphabet=string.ascii_letters + string.digits + "-_.+/=", min_size=32, max_size=600)
TOKEN = "Zk3vP0qLw8RtY2mNc7Xb5HsJ1dFg9aQe-uTi_4oKpBVxCz6W"
WRITTEN = {
    "whole": TOKEN,
    "its beginning is missing": TOKEN[7:],
    "its end is missing": TOKEN[:-7],
    "half of it": TOKEN[:26],
    "base64": base64.b64encode(TOKEN.encode()).decode(),
    "base64 in a longer text": base64.b64encode(f"key={TOKEN}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"to {TOKEN}".encode()).decode(),
    "hexadecimal": TOKEN.encode().hex(),
    "hexadecimal in capitals and pairs": " ".join(f"{byte:02X}" for byte in TOKEN.encode()),
    "reversed": TOKEN[::-1],
    "spaced": " ".join(TOKEN),
    "in columns": "\n".join(f"- `{char}`" for char in TOKEN),
    "with unseen characters": "\u200b".join(TOKEN),
    "in capitals": TOKEN.upper(),
    "emphasised": f"{TOKEN[:13]}**{TOKEN[13:]}**",
}


@pytest.mark.parametrize("how", WRITTEN)
def test_X1_a_secret_is_known_however_it_is_written(how: str) -> None:
    text = f"The value is {WRITTEN[how]}, as you can see."
    assert leaks(text, ["another-one-0123456789", TOKEN])
    assert not leaks(text, ["another-one-0123456789"])


def test_X1_tokens_and_keys_of_apps_are_known_by_their_shape() -> None:
    assert leaks("ghs_123456_" + "aB3-_." * 90, ())
    assert leaks(f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEow' * 20}\n-----END", ())
    assert not leaks("The prefix `ghs_` and `-----BEGIN PRIVATE KEY-----` begin such values.", ())


def test_X1_words_that_a_secret_shares_with_prose_give_nothing_away() -> None:
    secrets = ["teapot", "It's a Secret to Everybody", TOKEN]
    assert not leaks("The teapot is a secret: everybody knows it's a secret.", secrets)
    assert leaks("it's a secret to everybody", secrets)


def test_X1_two_jwts_share_their_head_and_no_secret() -> None:
    head = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiIxMjM0NTYifQ."
    ours = head + "k3vP0qLw8RtY2mNc7Xb5HsJ1dFg9aQeuTi4oKp"
    assert not leaks(f"An example: {head}another-signature", [ours])
    assert leaks(f"An example: {ours}", [ours])


@given(SECRETS, st.integers(0, 7), st.text(max_size=30), st.text(max_size=30))
def test_X1_any_secret_in_any_text(secret: str, missing: int, before: str, after: str) -> None:
    if sum(char.isalnum() for char in secret) >= 25 and "eyJ" not in secret:
        assert leaks(f"{before} {secret[missing:]} {after}", [secret])


@given(st.text(max_size=300))
def test_X1_what_holds_no_secret_is_never_withheld(text: str) -> None:
    assert not leaks(text, [TOKEN])


def test_X1_two_thousand_tokens_and_a_text_made_of_their_beginning_are_no_work() -> None:
    tokens = [f"ghs_1234567_{n:05}" + TOKEN * 10 for n in range(2_000)]
    assert not leaks("ghs1234567 " * 5_000, tokens)
    assert leaks("ghs1234567 " * 5_000 + TOKEN, tokens)
