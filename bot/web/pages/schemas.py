"""The shapes of what the pages show, as the API's description has them."""

from typing import Any, get_args

from bot.core.settings import SEVERITIES
from bot.store import RunState
from bot.store.findings import OUTCOMES
from bot.web.pages.view import COUNT, FLAG, NUMBER, TEXT, TIME, Schema, listed, optional, shape, text

SECONDS: Schema = {"type": ["number", "null"]}
NAMES: Schema = {"type": "array", "items": TEXT}
URL: Schema = {"type": ["string", "null"]}


def many(row: Schema) -> Schema:
    return {"type": "array", "items": row}


def _and(first: Schema, **more: Schema) -> Schema:
    """One shape with further properties."""
    return shape(**{**first["properties"], **more})


_RUN: dict[str, Any] = {
    "id": COUNT, "delivery": TEXT, "handler": TEXT, "priority": text(enum=["high", "default", "low"]),
    "target": TEXT, "repo_id": optional(COUNT), "repo": TEXT, "head_sha": optional(TEXT),
    "state": text(enum=list(get_args(RunState))), "attempts": COUNT, "crashes": COUNT, "not_before": TIME,
    "arrived_at": TIME, "created_at": TIME, "started_at": TIME, "finished_at": TIME, "error": TEXT,
    "host": TEXT, "model": TEXT, "tokens_in": COUNT, "tokens_out": COUNT, "summary": TEXT, "seconds": SECONDS,
    "number": optional(COUNT), "title": TEXT, "is_pull": FLAG, "tokens_cached": COUNT,
}  # fmt: skip
RUN = shape(**_RUN)
EFFECT = shape(kind=TEXT, state=TEXT, url=URL, attempts=COUNT, error=TEXT, changed_at=TIME)
CALL = shape(
    at=TIME, prompt=TEXT, role=TEXT, host=TEXT, model=TEXT, tokens_in=COUNT, tokens_out=COUNT, seconds=NUMBER,
    first_token_seconds=NUMBER, failure=TEXT, left_out=NAMES, cost_usd=NUMBER, cached=FLAG, n=COUNT,
    online=FLAG, tokens_cached=COUNT,
)  # fmt: skip
TOOL_CALL = shape(at=TIME, name=TEXT, arguments=TEXT, bytes=COUNT, seconds=NUMBER, failure=TEXT)
FINDING = shape(
    id=COUNT, run_id=COUNT, repo_id=COUNT, repo=TEXT, number=COUNT, head_sha=TEXT, fingerprint=TEXT,
    path=TEXT, line=optional(COUNT), severity=text(enum=list(SEVERITIES)), category=TEXT, source=TEXT,
    model=TEXT, title=TEXT, state=text(enum=["said", "held back", "refused"]), why=TEXT,
    outcome=text(enum=list(OUTCOMES)), liked=COUNT, disliked=COUNT, at=TIME,
)  # fmt: skip
LINE = shape(at=TIME, level=TEXT, message=TEXT)
BATCH = shape(
    issues=COUNT, over=COUNT, counts={"type": "object", "additionalProperties": COUNT},
    listed=many(shape(number=COUNT, run=COUNT, state=TEXT, summary=TEXT)),
)  # fmt: skip
WHOLE_RUN = _and(
    RUN, effects=many(EFFECT), calls=many(CALL), tools=many(TOOL_CALL), findings=many(FINDING), log=many(LINE)
)
WHOLE_RUN["properties"]["batch"] = BATCH
SAID = shape(run=COUNT, n=COUNT, said=many(shape(who=TEXT, text=TEXT)))
GROUP = shape(value=TEXT, said=COUNT, fixed=COUNT, dismissed=COUNT, liked=COUNT, disliked=COUNT)
ISSUE = shape(
    repo_id=COUNT, repo=TEXT, number=COUNT, is_pull=FLAG, title=TEXT, author=TEXT,
    state=text(enum=["open", "closed", "merged"]), changed_at=TIME, url=URL, last_run=optional(RUN),
)  # fmt: skip
WHOLE_ISSUE = _and(ISSUE, runs=many(RUN), findings=many(FINDING))
_EXAMPLE = shape(url=TEXT, path=TEXT, line=TEXT, said=TEXT)
EVIDENCE = shape(
    pattern=TEXT, words=NAMES, kind=TEXT, right=COUNT, spoken=COUNT, against=COUNT,
    examples=many(_EXAMPLE), counter_examples=many(_EXAMPLE),
)  # fmt: skip
LESSON = shape(
    repo_id=COUNT, repo=TEXT, n=COUNT, kind=TEXT, text=TEXT, author=TEXT, number=COUNT, path=TEXT, title=TEXT,
    source=TEXT, at=TIME, expires=TIME, evidence=optional(EVIDENCE),
)  # fmt: skip
REPOSITORY = shape(
    id=COUNT, name=TEXT, installation=COUNT, private=optional(FLAG), issues=COUNT, last_at=TIME, url=URL
)
SETTING = shape(
    name=TEXT, part=TEXT, about=TEXT, choices=NAMES, value={}, before_file={}, layer=TEXT, stored=FLAG
)
WHOLE_REPOSITORY = shape(name=TEXT, url=URL, settings=many(SETTING))
MODEL_SPEED = shape(model=TEXT, answers=COUNT, reads=NUMBER, writes=NUMBER)
ANSWERING = shape(model=TEXT, seconds=NUMBER, seconds_left=NUMBER, tokens=COUNT, tokens_per_second=NUMBER)
HOST = shape(
    name=TEXT, kind=TEXT, url=TEXT, online=FLAG, parallel=COUNT, roles=NAMES, up=optional(FLAG), inside=COUNT,
    waiting=COUNT, wait_seconds=NUMBER, model=TEXT, answering=many(ANSWERING), speeds=many(MODEL_SPEED),
    requests=COUNT, failures=COUNT,
)  # fmt: skip
DELIVERY = shape(
    id=COUNT, guid=TEXT, event=TEXT, action=TEXT, repo=TEXT, number=optional(COUNT), sender=TEXT,
    received_at=TIME, state=text(enum=["new", "routed", "ignored", "quarantined"]), note=TEXT, again=FLAG,
    recovered=FLAG,
)  # fmt: skip
SPENT = shape(
    day=text(format="date"), host=TEXT, model=TEXT, answers=COUNT, tokens_in=COUNT, tokens_out=COUNT,
    cost_usd=NUMBER,
)  # fmt: skip
COMPARED = shape(
    role=TEXT, host=TEXT, model=TEXT, answers=COUNT, failures=COUNT, cached=COUNT, share=NUMBER,
    seconds=SECONDS, first_token_seconds=SECONDS, tokens_per_second=SECONDS, cost_usd=NUMBER,
)  # fmt: skip
COMPONENT = shape(name=TEXT, ok=FLAG, detail=TEXT)
WORKING = _and(RUN, elapsed=SECONDS, usual=SECONDS)
NOW = shape(
    ready=FLAG, components=many(COMPONENT), working=many(WORKING), waiting=many(RUN), waits=COUNT, dead=COUNT,
    drafts=COUNT, offered=COUNT, hosts=many(HOST), latest=many(RUN),
)  # fmt: skip
FINDINGS = listed("findings", FINDING, groups=many(GROUP), days=COUNT)
