"""`POST /agents/…`: what is asked for becomes a run, what makes no sense is said."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bot.core.errors import TemporaryError, UserError
from bot.store import Store
from tests.web.conftest import TOKEN, Front, opened

TRIAGE, REVIEW = "/agents/issue/triage", "/agents/review/analyze"
IMPLEMENT = "/agents/code/implement"


class Asked:
    """A port that remembers."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.wrong: Exception | None = None

    async def _take(self, *said: Any) -> int:
        self.said.append(said)
        if self.wrong:
            raise self.wrong
        return 7

    async def triage(self, full_name: str, number: int, auto_comment: bool, /) -> int:
        return await self._take("triage", full_name, number, auto_comment)

    async def triage_new(self, full_name: str, auto_comment: bool, /) -> int:
        return await self._take("new", full_name, auto_comment)

    async def review(self, full_name: str, number: int, focus: Sequence[str], /) -> int:
        return await self._take("review", full_name, number, list(focus))

    async def implement(self, full_name: str, number: int, context: str, /) -> int:
        return await self._take("implement", full_name, number, context)


@pytest.fixture
async def asked() -> Asked:
    return Asked()


@pytest.fixture
async def operator(store: Store, asked: Asked) -> AsyncIterator[Front]:
    async with opened(store, requests=asked) as front:
        front.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield front


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (TRIAGE, {"repo": "o/r", "issue": 3}, ("triage", "o/r", 3, False)),
        (TRIAGE, {"repo": "o/r", "issue": 3, "auto_comment": True}, ("triage", "o/r", 3, True)),
        (TRIAGE, {"repo": "o/r", "batch": "new_issues"}, ("new", "o/r", False)),
        (TRIAGE, {"repo": "o/r", "batch": "new_issues", "auto_comment": True}, ("new", "o/r", True)),
        (REVIEW, {"repo": "o/r", "pr": 4}, ("review", "o/r", 4, [])),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": []}, ("review", "o/r", 4, [])),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": [" a  b", "c"]}, ("review", "o/r", 4, ["a b", "c"])),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": ["\0a \0b"]}, ("review", "o/r", 4, ["a b"])),
        (IMPLEMENT, {"repo": "o/r", "issue": 3}, ("implement", "o/r", 3, "")),
        (
            IMPLEMENT,
            {"repo": "o/r", "issue": 3, "context": " of the\n/hob undo \x00pot "},
            ("implement", "o/r", 3, "of the\n/hob undo pot"),
        ),
    ],
)
async def test_a_request_is_answered_with_its_run(
    operator: Front, asked: Asked, path: str, body: Any, said: Any
) -> None:
    answer = await operator.client.post(path, json=body)
    assert (answer.status_code, answer.json()) == (202, {"run": 7})
    assert answer.headers["location"] == "/runs/7"
    assert asked.said == [said]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (REVIEW, '{"repo": "o/r", "pr": 4, "focus": ["@"]}'),
        (IMPLEMENT, '{"repo": "o/r", "issue": 3, "context": "a @"}'),
        ("/agents/chat", '{"repo": "o/r", "message": "@?"}'),
        ("/settings/repos/o/r", '{"review.paths": ["@"]}'),
        ("/settings/repos/o/r", '{"@": 1}'),
    ],
)
async def test_half_a_character_is_a_problem_and_a_whole_one_is_none(
    operator: Front, path: str, body: str
) -> None:
    method = "PATCH" if path.startswith("/settings") else "POST"
    for text in (r"\ud800", r"\uDC00\ud800", r"\ud83c\udf75"):
        content = body.replace("@", text).encode()
        json = {"content-type": "application/json"}
        answer = await operator.client.request(method, path, content=content, headers=json)
        assert (answer.status_code == 400) is (text != r"\ud83c\udf75"), answer.text
        assert answer.status_code != 500
    raw = body.encode().replace(b"@", b"\xed\xa0\x80")  # the same as its bytes, without an escape
    assert (await operator.client.request(method, path, content=raw, headers=json)).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TRIAGE, {"issue": 3}),
        (TRIAGE, {"repo": "nonsense", "issue": 3}),
        (TRIAGE, {"repo": "o/r"}),
        (TRIAGE, {"repo": "o/r", "issue": 3, "batch": "new_issues"}),
        (TRIAGE, {"repo": "o/r", "issue": 0}),
        (TRIAGE, {"repo": "o/r", "issue": True}),
        (TRIAGE, {"repo": "o/r", "issue": "3"}),
        (TRIAGE, {"repo": "o/r", "issue": 2**40}),
        (TRIAGE, {"repo": "o/r", "batch": "all"}),
        (TRIAGE, {"repo": "o/r", "issue": 3, "auto_comment": "yes"}),
        (TRIAGE, {"repo": "o/r", "issue": 3, "dry_run": True}),
        (REVIEW, {"repo": "o/r"}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": "speed"}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": [""]}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": ["a\n/hob undo"]}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": ["a\u2028b"]}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": ["x" * 101]}),
        (REVIEW, {"repo": "o/r", "pr": 4, "focus": ["x"] * 9}),
        (IMPLEMENT, {"repo": "o/r"}),
        (IMPLEMENT, {"repo": "o/r", "pr": 4}),
        (IMPLEMENT, {"repo": "o/r", "issue": -1}),
        (IMPLEMENT, {"repo": "o/r", "issue": 3, "context": ["a"]}),
        (IMPLEMENT, {"repo": "o/r", "issue": 3, "context": None}),
        (IMPLEMENT, {"repo": "o/r", "issue": 3, "context": "x" * 4_001}),
        (IMPLEMENT, {"repo": "o/r", "issue": 3, "branch": "main"}),
    ],
)
async def test_what_makes_no_sense_is_a_problem(operator: Front, asked: Asked, path: str, body: Any) -> None:
    answer = await operator.client.post(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert asked.said == []


async def test_what_is_not_there_and_what_cannot_be_asked_now(operator: Front, asked: Asked) -> None:
    asked.wrong = UserError("o/r has no issue 3", "look at its number")
    gone = await operator.client.post(TRIAGE, json={"repo": "o/r", "issue": 3})
    assert (gone.status_code, gone.json()["detail"]) == (404, "o/r has no issue 3")
    asked.wrong = TemporaryError("GitHub does not answer")
    assert (await operator.client.post(TRIAGE, json={"repo": "o/r", "issue": 3})).status_code == 503


async def test_a_process_that_takes_no_requests_says_so(front: Front) -> None:
    front.client.headers["authorization"] = f"Bearer {TOKEN}"
    assert (await front.client.post(REVIEW, json={"repo": "o/r", "pr": 4})).status_code == 503
