"""Addresses of model hosts as people paste them: understood, or said what is wrong with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config.addresses import host_url
from bot.config.models import HostTable

OLLAMA = "http://mini:11434"


@pytest.mark.parametrize("begin", ["", "http://", "HTTP://", " http://", "<http://", "//"])
@pytest.mark.parametrize(
    "end",
    [
        *("", "/", "//", "/v1", "/v1/", "/api", "/api/", "/api/chat", "/api/generate", "/api/tags", "//v1"),
        *("/v1/chat/completions", "/v1/models", "/V1", "/v1/embeddings/"),
    ],
)
def test_an_address_of_ollama_in_any_form(begin: str, end: str) -> None:
    assert HostTable(name="a", url=f"{begin}mini:11434{end}").url == OLLAMA


@pytest.mark.parametrize(
    ("kind", "pasted", "url"),
    [
        ("openai", "http://mini:8000/v1/chat/completions", "http://mini:8000/v1"),
        ("openai", "http://mini:8000/v1/chat/completions/", "http://mini:8000/v1"),
        ("openai", "mini:8000/v1/models", "http://mini:8000/v1"),
        ("openai", "http://mini:8000/chat/completions", "http://mini:8000"),
        ("openai", "http://mini:11434/api/chat", "http://mini:11434"),
        ("openai", "https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("openai", "https://api.groq.com/openai/v1/", "https://api.groq.com/openai/v1"),
        ("openai", "api.openai.com/v1", "https://api.openai.com/v1"),
        ("openai", "api.openai.com", "https://api.openai.com"),
        ("openai", "gpu.lan/v1", "http://gpu.lan/v1"),
        ("openai", "192.168.1.20:1234", "http://192.168.1.20:1234"),
        ("openai", "[::1]:1234/v1", "http://[::1]:1234/v1"),
        ("openai", "localhost:1234", "http://localhost:1234"),
        ("anthropic", "https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
        ("anthropic", "api.anthropic.com/v1", "https://api.anthropic.com"),
        ("anthropic", "", ""),
        ("ollama", "https://gate.example/ollama/api/chat", "https://gate.example/ollama"),
        ("ollama", "http://chat/completions-of/mine", "http://chat/completions-of/mine"),
    ],
)
def test_an_address_as_people_paste_it(kind: str, pasted: str, url: str) -> None:
    assert HostTable(name="a", kind=kind, url=pasted).url == url


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("file:///etc/passwd", "starts with http:// or https://"),
        ("ftp://mini", "starts with http:// or https://"),
        ("http://", "starts with http:// or https://"),
        ("/", "starts with http:// or https://"),
        ("mini:port", "port is a number"),
        ("mini:99999", "port is a number"),
        ("http://[::1", "hold IPv6"),
        ("me:secret@mini:11434", "without a name or password"),
        ("https://x.example/openai?api-version=1", "without ?, # or blanks"),
        ("http://mini:11434/#models", "without ?, # or blanks"),
        ("http://mini 11434", "without ?, # or blanks"),
    ],
)
def test_N1_an_address_that_cannot_be_understood_is_named(pasted: str, why: str) -> None:
    with pytest.raises(ValidationError, match="url") as caught:
        HostTable(name="a", url=pasted)
    assert why in str(caught.value)
    assert "secret" not in str(caught.value)


_TEXT = st.text(st.sampled_from(list("htps:/.@[]#? av1minchat\\\n\u2100")), max_size=40)


@given(_TEXT, st.sampled_from(["ollama", "openai", "anthropic", "mlx"]))
def test_what_is_understood_is_http_and_understood_alike_again(pasted: str, kind: str) -> None:
    try:
        url = host_url(pasted, kind)
    except ValueError:
        return
    assert url == "" or url.startswith(("http://", "https://"))
    assert host_url(url, kind) == url
