"""Stored settings over HTTP as a program uses them, and the description of every route."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from starlette.routing import Route

from bot.config import Config, why_not
from bot.core.inference import ModelCall, ToolUse
from bot.core.settings_schema import KEYS
from bot.store import Store
from bot.web.openapi import document
from tests.store.making import queued
from tests.web.conftest import TOKEN, Front, opened

TEA = "/settings/repos/octo/tea"


@pytest.fixture
async def front(store: Store) -> AsyncIterator[Front]:
    config = Config.model_validate({"models": {"review": ["big:14b", "small:1b"]}})
    async with opened(store, refuse=lambda key, value: why_not(config, key, value)) as made:
        yield made


@pytest.fixture
def client(front: Front) -> httpx.AsyncClient:
    """One that holds the token."""
    front.client.headers["authorization"] = f"Bearer {TOKEN}"
    return front.client


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body


async def test_settings_are_put_read_changed_and_deleted(client: httpx.AsyncClient) -> None:
    is_problem(await client.get(TEA), 404)
    new = await client.put(TEA, json={"review.auto": False, "language": "de"})
    assert (new.status_code, new.json()) == (201, {"language": "de", "review.auto": False})
    change = {
        "language": None,
        "models.review": "small:1b",
        "review.instructions": [{"path": "*", "text": "é"}],
    }
    changed = await client.patch("/settings/repos/OCTO/Tea", json=change)
    assert changed.status_code == 200
    assert (await client.get(TEA)).json() == {
        "models.review": ["small:1b"],
        "review.auto": False,
        "review.instructions": [{"path": "*", "text": "é"}],
    }
    assert (await client.put(TEA, json={"review.auto": True})).json() == {"review.auto": True}
    assert (await client.delete(TEA)).status_code == 204
    is_problem(await client.delete(TEA), 404)


async def test_users_organisations_and_repositories_are_apart_and_merged(client: httpx.AsyncClient) -> None:
    await client.patch("/settings/users/octo", json={"language": "fr", "review.drafts": True})
    await client.patch("/settings/orgs/octo", json={"language": "de", "online": "never"})
    await client.patch(TEA, json={"language": "pt-BR"})
    assert (await client.get("/settings/users/octo")).json()["language"] == "fr"
    merged = (await client.get(f"{TEA}?merged=true")).json()
    assert merged["language"] == {"value": "pt-BR", "layer": "repository octo/tea"}
    assert merged["online"] == {"value": "never", "layer": "organisation octo"}
    assert merged["review.drafts"] == {"value": True, "layer": "user octo"}
    assert merged["review.max_comments"] == {"value": 8, "layer": "default"}
    assert set(merged) == {key.name for key in KEYS}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_every_unusable_key_is_named_with_the_nearest_and_nothing_is_stored(
    client: httpx.AsyncClient, method: str
) -> None:
    given = {
        "review.auto": "yes",
        "reviw.auto": True,
        "min_severity": "major",
        "review.max_comments": True,
        "issues.labels": ["ok", "\x00"],
        "language": "de",
        "host.url": "http://example.org",
    }
    body = is_problem(await client.request(method, TEA, json=given), 422)
    assert {one["key"]: one["message"] for one in body["errors"]} == {
        "review.auto": "true or false is expected",
        "reviw.auto": "there is no key 'reviw.auto'; did you mean review.auto?",
        "min_severity": "there is no key 'min_severity'; did you mean review.min_severity?",
        "review.max_comments": "a whole number from 0 to 50 is expected",
        "issues.labels": "a text of 1 to 255 characters is expected",
        "host.url": "there is no key 'host.url'",
    }
    is_problem(await client.get(TEA), 404)


async def test_C2_a_setting_never_widens_what_the_process_allows(client: httpx.AsyncClient) -> None:
    given = {"online": "allowed", "prefer": "online", "models.review": ["small:1b", "gpt-9"]}
    body = is_problem(await client.patch(TEA, json=given), 409)
    assert {one["key"] for one in body["errors"]} == set(given)
    assert "gpt-9 is not named in [models]" in body["detail"]
    is_problem(await client.get(TEA), 404)


async def test_a_change_that_was_overtaken_is_refused(client: httpx.AsyncClient) -> None:
    first = (await client.put(TEA, json={"language": "de"})).headers["etag"]
    again = await client.get(TEA, headers={"if-none-match": first})
    assert (again.status_code, again.content) == (304, b"")
    second = await client.patch(TEA, json={"language": "fr"}, headers={"if-match": first})
    assert second.status_code == 200
    is_problem(await client.patch(TEA, json={"language": "en"}, headers={"if-match": first}), 412)
    is_problem(await client.put(TEA, json={}, headers={"if-none-match": "*"}), 412)
    is_problem(await client.delete(TEA, headers={"if-match": first}), 412)
    assert (await client.get(TEA)).json() == {"language": "fr"}
    current = {"if-match": second.headers["etag"]}
    assert (await client.delete(TEA, headers=current)).status_code == 204


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"language": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"' + b"x" * 300_000 + b'"', "application/json", 413),
        (b"language=de", "application/x-www-form-urlencoded", 415),
        (b'{"language": "de"}', "", 415),
    ],
)
async def test_what_is_no_object_of_keys_is_refused(
    client: httpx.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    is_problem(await client.put(TEA, content=content, headers={"content-type": content_type}), status)


@pytest.mark.parametrize(
    "path", ["/settings/users/a%20b", "/settings/repos/octo/t%C3%A9a", "/settings/orgs/.."]
)
async def test_names_that_github_cannot_have_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    is_problem(await client.put(path, json={}), 404)


async def test_D1_strangers_and_other_sites_change_nothing(front: Front) -> None:
    is_problem(await front.client.put(TEA, json={"language": "de"}), 401)
    front.client.headers["authorization"] = "Bearer wrong"
    is_problem(await front.client.get(TEA), 401)
    del front.client.headers["authorization"]
    await front.client.post("/login", data={"token": TOKEN}, headers={"origin": front.url})
    foreign = {"origin": "https://evil.example"}
    is_problem(await front.client.put(TEA, json={"language": "de"}, headers=foreign), 403)
    mine = await front.client.put(TEA, json={"language": "de"}, headers={"origin": front.url})
    assert mine.status_code == 201


async def test_D3_a_method_that_is_not_there_is_refused(client: httpx.AsyncClient) -> None:
    is_problem(await client.post(TEA, json={}), 405)


async def test_every_route_is_described_and_no_other(client: httpx.AsyncClient, front: Front) -> None:
    described = {
        (path, method.upper())
        for path, item in (await client.get("/openapi.json")).json()["paths"].items()
        for method in item
        if method != "parameters"
    }
    routes = {("/webhook", "POST"), ("/healthz", "GET")}
    for route in front.routes:
        assert isinstance(route, Route)
        path = re.sub(r":\w+\}", "}", route.path)
        routes |= {(path, method) for method in route.methods or () if method != "HEAD"}
    assert described == routes


def schema(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    )


def test_every_schema_of_the_description_is_one() -> None:
    for name, one in document()["components"]["schemas"].items():
        jsonschema_rs.meta.validate(one)
        schema(name)
    operations = [
        one for item in document()["paths"].values() for key, one in item.items() if key != "parameters"
    ]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))


async def test_what_is_answered_is_what_is_described(client: httpx.AsyncClient, store: Store) -> None:
    (run,) = queued(store)
    call = ModelCall(1e9, "review", "review", "mini", "big:14b", 10, 5, 1.5, 0.5, left_out=("a.py",))
    use = ToolUse(1e9, "read_file", '{"path": "a.py"}', 120, 0.5)
    store.calls.add(run.id, "octo/tea", [call, use])
    shown = (await client.get(f"/runs/{run.id}")).json()
    schema("WholeRun").validate(shown)
    schema("Call").validate(shown["calls"][0])
    assert [one["left_out"] for one in shown["calls"]] == [["a.py"]]
    (tool,) = shown["tools"]
    schema("ToolCall").validate(tool)
    assert (tool["name"], tool["bytes"], tool["failure"]) == ("read_file", 120, "")
    assert [one.role for one in store.calls.totals()] == ["review"]
    schema("Ready").validate((await client.get("/readyz")).json())
    schema("Problem").validate((await client.get(TEA)).json())
    schema("Settings").validate((await client.put(TEA, json={"models.review": ["big:14b"]})).json())
    schema("MergedSettings").validate((await client.get(f"{TEA}?merged=true")).json())


async def test_D2_the_page_of_a_run_shows_its_calls_and_escapes_them(
    client: httpx.AsyncClient, store: Store
) -> None:
    (run,) = queued(store)
    hostile = ModelCall(1e9, "review", "review", "mini", "<script>alert(1)</script>", failure="<b>no</b>")
    use = ToolUse(1e9, "<script>x</script>", '{"path": "<i>"}', failure="<b>no</b>")
    store.calls.add(run.id, "octo/tea", [hostile, use])
    page = await client.get(f"/runs/{run.id}", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "&lt;script&gt;" in page.text and "<script>" not in page.text and "<b>no" not in page.text
    assert "Tool calls" in page.text and "<i>" not in page.text
    assert "<script>" not in (await client.get("/")).text


async def test_models_are_held_against_each_other(client: httpx.AsyncClient, store: Store) -> None:
    made = [ModelCall(1e9, "review", "review", "mini", "big:14b", 100, 60, 3.0, 1.0)] * 3
    made += [ModelCall(1e9, "review", "review", "mini", "small:1b", 100, 60, 1.0, 0.5)]
    made += [ModelCall(1e9, "review", "review", "mini", "small:1b", failure="no answer")]
    store.calls.add(None, "octo/tea", made)
    text = (await client.get("/metrics")).text
    labels = 'role="review",host="mini",model="big:14b"'
    assert f'hob_model_calls_total{{{labels},outcome="answer"}} 3' in text
    assert f"hob_model_seconds_total{{{labels}}} 9.0" in text
    assert f"hob_model_tokens_per_second{{{labels}}} 30.0" in text
    assert 'model="small:1b",outcome="failure"} 1' in text
    first = (await client.get("/budget")).json()["models"][0]
    assert (first["model"], first["answers"], first["share"], first["failures"]) == ("big:14b", 3, 0.75, 0)
    page = (await client.get("/budget", headers={"accept": "text/html"})).text
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells[:6] == ["review", "big:14b", "mini", "3", "75%", "0"]


HOST_METRICS = ("in_flight", "waiting", "requests_total", "failures_total")


async def test_every_metric_is_explained(client: httpx.AsyncClient, store: Store) -> None:
    store.calls.add(None, "octo/tea", [ModelCall(1e9, "review", "review", "mini", "m", 1, 1, 2.0, 1.0)])
    shown = set(re.findall(r"^# HELP (\w+)", (await client.get("/metrics")).text, re.MULTILINE))
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    told = set(re.findall(r"^\| `(hob_\w+)`", page, re.MULTILINE))
    # those of hosts come with the places that Redis keeps, which this receiver has not
    assert told - shown == {f"hob_host_{one}" for one in HOST_METRICS}
    assert shown <= told
