"""Stored settings, seen in what Hob then does."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.settings_merge import FILE, Layer, merge, settings_of
from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, by_schema, living_hob

BROKEN = "def brew(water):\n    return water / 0\n"
FINDING = {
    "path": "tea.py",
    "quote": "return water / 0",
    "severity": "major",
    "category": "bug",
    "title": "Division by zero",
    "body": "This always fails.",
    "replacement": None,
    "confidence": 0.9,
}


def stored(hob: LivingHob, scope: Any, name: str, **values: Any) -> None:
    hob.services.store.settings.change(
        scope, name, lambda _: {key.replace("__", "."): v for key, v in values.items()}
    )


def opened(hob: LivingHob, **files: str) -> PullRequest:
    tea = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n", **files})
    return tea.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")


async def test_a_repository_that_turned_reviews_off_gets_none(hob: LivingHob) -> None:
    stored(hob, "repo", "octo/tea", review__auto=False)
    pull = opened(hob)
    await hob.works()
    assert pull.reviews == [] and hob.ollama.chats == []


async def test_the_file_of_the_repository_wins_over_what_is_stored(hob: LivingHob) -> None:
    hob.ollama.answer = by_schema(review={"findings": [FINDING], "summary": ""})
    stored(hob, "org", "octo", review__auto=False, review__min_severity="critical")
    pull = opened(hob, **{".github/hob.yml": "review: {auto: true}\n"})
    await hob.works()
    assert pull.review_comments == []  # organisation: only what is critical
    stored(hob, "user", "ann", review__min_severity="nit")
    pull.push({"tea.py": BROKEN.replace("(water)", "(water, cup)")})
    await hob.works()
    assert pull.review_comments == []  # a user's wish lies below the organisation's
    stored(hob, "repo", "octo/tea", review__min_severity="nit")
    pull.push({"tea.py": BROKEN.replace("(water)", "(water, pot)")})
    await hob.works()
    assert [comment.path for comment in pull.review_comments] == ["tea.py"]


@pytest.fixture
async def two_models(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    first = next(iter(ollama.models))
    ollama.models["other:7b"] = ollama.models[first]
    async with living_hob(tmp_path, github, ollama, HOB_MODELS__REVIEW=f"{first},other:7b") as living:
        yield living


def models(hob: LivingHob) -> set[str]:
    return {chat["model"] for chat in hob.ollama.chats}


async def test_a_repository_chooses_among_the_configured_models(two_models: LivingHob) -> None:
    stored(two_models, "repo", "octo/tea", models__review=["unknown:1b", "other:7b"])
    opened(two_models)
    await two_models.works()
    assert models(two_models) == {"other:7b"}


async def test_C2_a_stored_model_that_is_not_configured_is_not_asked(two_models: LivingHob) -> None:
    stored(two_models, "repo", "octo/tea", models__review=["unknown:1b"])
    two_models.ollama.models["unknown:1b"] = two_models.ollama.models["other:7b"]
    opened(two_models)
    await two_models.works()
    assert models(two_models) and "unknown:1b" not in models(two_models)


async def test_a_share_of_the_questions_goes_to_the_second_model(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    first = next(iter(ollama.models))
    ollama.models["other:7b"] = ollama.models[first]
    share = json.dumps({"review": 1.0})
    names = f"{first},other:7b"
    async with living_hob(
        tmp_path, github, ollama, HOB_MODELS__REVIEW=names, HOB_MODELS__SHARE=share
    ) as living:
        opened(living)
        await living.works()
        assert models(living) == {"other:7b"}


async def test_each_call_of_a_model_is_a_row_of_its_run(hob: LivingHob) -> None:
    hob.ollama.answer = by_schema(review={"findings": [FINDING], "summary": ""})
    opened(hob)
    (run, *_) = [run for run in await hob.works() if run.handler.startswith("pull_requests")]
    calls = hob.services.store.calls.of_run(run.id)
    assert sorted(call.prompt for call in calls) == ["review", "verify"]
    for call in calls:
        assert (call.role, call.host, call.failure) == ("review", "mini", "")
        assert call.tokens_in > 0 and call.seconds > 0


@pytest.mark.parametrize(
    ("stored_value", "file_value", "merged"),
    [
        (None, True, True),
        (False, True, False),
        (True, True, True),
        (True, False, False),
        (True, None, True),
    ],
)
def test_the_file_cannot_widen_who_may_ask_for_code(
    stored_value: bool | None, file_value: bool | None, merged: bool
) -> None:
    layers = [] if stored_value is None else [Layer("repository octo/tea", {"code.enabled": stored_value})]
    file = Layer(FILE, {} if file_value is None else {"code.enabled": file_value})
    assert settings_of(merge(layers, file)).code.enabled is merged


def test_online_is_the_narrowest_of_all_layers() -> None:
    layers = [Layer("user ann", {"online": "public"}), Layer("repository octo/tea", {"online": "allowed"})]
    found = merge(layers, Layer(FILE, {"online": "allowed"}))["online"]
    assert (found.value, found.layer) == ("public", "user ann")
    assert merge(layers, Layer(FILE, {"online": "never"}))["online"].value == "never"
