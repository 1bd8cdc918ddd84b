"""The typed client against a living receiver, and its shapes against the API's description."""

import asyncio
from typing import Any

import msgspec
import pytest

from bot.api_client import ApiFinding, ApiHost, ApiLesson, ApiRefused, ApiRepository, ApiRun, HobApi
from bot.core.hosts import Host
from bot.store import Store
from bot.web.openapi import document
from tests.web.conftest import TOKEN, opened
from tests.web.test_openapi import Taken
from tests.web.test_pages import lived_in

KINDS = {
    "Run": ApiRun,
    "Finding": ApiFinding,
    "Repository": ApiRepository,
    "Lesson": ApiLesson,
    "Host": ApiHost,
}


@pytest.mark.parametrize("name", KINDS)
def test_each_shape_has_the_fields_that_are_described(name: str) -> None:
    described = document()["components"]["schemas"][name]["properties"]
    assert [one.name for one in msgspec.structs.fields(KINDS[name])] == list(described)


async def test_a_script_reads_every_list_and_has_work_done(store: Store) -> None:
    mini = Host("mini", "ollama", "http://127.0.0.1:9")
    async with opened(store, model_hosts=(mini,), requests=Taken()) as front:
        run = await lived_in(front, store)
        api = HobApi(front.url, TOKEN)

        def work() -> None:
            runs = list(api.runs(limit=1))
            assert len(runs) == len(list(api.runs())) and run.id in [one.id for one in runs]
            assert {one.title for one in api.findings(repo="octo/hello", state="said")} == {
                "Loses the last row"
            }
            assert [one.text for one in api.memory()] == ["We use tabs."]
            assert [one.name for one in api.repositories()] == ["octo/hello"]
            assert [one.name for one in api.hosts()] == ["mini"]
            assert api.run(run.id)["log"][0]["message"] == "a line of the log"
            assert api.change_settings("octo/hello", **{"review.auto": False}) == {"review.auto": False}
            assert api.settings("octo/hello") == {"review.auto": False}
            assert api.analyze("octo/hello", 7) == api.triage("octo/hello", 1) == 1
            assert api.implement("octo/hello", 1, "soon") == 1
            for status, refused in refusals(api, front.url).items():
                with pytest.raises(ApiRefused) as told:
                    refused()
                assert told.value.status == status and told.value.detail

        await asyncio.to_thread(work)


def refusals(api: HobApi, url: str) -> dict[int, Any]:
    return {
        400: lambda: list(api.findings(state="odd")),
        401: lambda: list(HobApi(url, "wrong").runs()),
        404: lambda: api.analyze("octo/other", 7),
        409: lambda: api.retry(api.analyze("octo/hello", 7)),
        422: lambda: api.change_settings("octo/hello", odd=1),
    }


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        HobApi("file:///etc/passwd", TOKEN)
