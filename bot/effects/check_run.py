"""The check run named Hob of a head. https://docs.github.com/en/rest/checks/runs"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from bot.core.check_judgement import unread
from bot.core.effects import Annotation, BeginCheck, PostReview, SetCheck
from bot.core.errors import Ambiguous
from bot.core.facts import UndoFacts
from bot.core.text import utf8_size
from bot.effects.base import Applied, Destination, Judged, OnGitHub, Refused, Undone, applied
from bot.effects.review import OfPostReview
from bot.effects.texts import Texts
from bot.github.idempotency_marker import fit
from bot.github.payloads import REVIEW_ALL, REVIEW_NEW

CHECK_NAME = "Hob"
ANNOTATIONS = 50
"""As many go into one call. https://docs.github.com/en/rest/checks/runs#update-a-check-run"""
MOST_TOLD = 56_000
"""Bytes of a check run's text for what was refused; GitHub takes 65,535 of all."""
_MOST_TITLE = 255
_MAKE, _ONE, _OF_HEAD = "/check-runs", "/check-runs/{id}", "/commits/{sha}/check-runs"
ACTIONS = (
    {"label": "Re-run", "description": "Review what is new or was not read", "identifier": REVIEW_NEW},
    {"label": "Review all", "description": "Read the whole change again", "identifier": REVIEW_ALL},
)
"""Buttons; labels have at most 20 characters, descriptions 40, identifiers 20.
https://docs.github.com/en/rest/checks/runs#create-a-check-run"""


class OfSetCheck(OnGitHub[SetCheck]):
    kind = SetCheck
    prose = ("summary", "text")
    lines = {"title": 140}  # noqa: RUF012
    permissions = ("checks",)
    told_by = "itself"
    judges = True
    undone_by = frozenset({SetCheck})

    def harmless(self, effect: SetCheck, texts: Texts) -> SetCheck:
        annotations = tuple(
            replace(one, title=texts.line(one.title, 140), message=texts.line(one.message, 2_000))
            for one in effect.annotations
        )
        return replace(super().harmless(effect, texts), annotations=annotations)

    async def send(self, effect: SetCheck, to: Destination) -> Applied:
        body = {
            "name": CHECK_NAME,
            "status": "completed",
            "conclusion": effect.conclusion,
            "external_id": _external_id(effect, to.key),
            "actions": list(ACTIONS) if effect.number else [],  # a button finds its way by the number
            "output": _output(effect, 0),
        }
        if effect.waiting:
            made = applied(await to.patch(_ONE, body, id=effect.waiting))
        else:
            made = applied(await to.post(_MAKE, body | {"head_sha": effect.head_sha}))
        return await self._annotated(effect, to, made, min(len(effect.annotations), ANNOTATIONS))

    async def find(self, effect: SetCheck, to: Destination) -> Applied | None:
        runs = await to.listed(
            _OF_HEAD, "check_runs", sha=effect.head_sha, filter="all", app_id=to.marker.app_id
        )
        for run in runs:
            if run.get("external_id") in (to.key, _external_id(effect, to.key)):
                app = run.get("app")
                if isinstance(app, dict) and app.get("id") == to.marker.app_id:
                    return applied(run)
        return None

    async def completed(self, effect: SetCheck, to: Destination, found: Applied) -> Applied:
        return await self._annotated(effect, to, found, None)

    async def _annotated(self, effect: SetCheck, to: Destination, made: Applied, sent: int | None) -> Applied:
        """Adds the annotations that a check run still lacks; None: it is asked how many it has.

        They are appended in order: GitHub's count says where to go on, also after a call whose answer was
        lost.
        """
        for _ in range(2 * (len(effect.annotations) // ANNOTATIONS + 1)):
            if sent is None:
                sent = _count(await to.get(_ONE, id=made.github_id))
            if sent >= len(effect.annotations):
                break
            try:
                await to.patch(_ONE, {"output": _output(effect, sent)}, id=made.github_id)
                sent += ANNOTATIONS
            except Ambiguous:
                sent = None
        return made

    def meant(self, effect: SetCheck) -> str:
        """A check run that says why nothing was read does not stand for a review of the same head later."""
        if effect.judged:
            return "SetCheck"
        passes = "" if effect.conclusion == "neutral" else f" {effect.conclusion}"
        return f"SetCheck{passes} {effect.title}"

    def judged(self, effect: SetCheck) -> Judged | None:
        return Judged(effect.head_sha, effect.base) if effect.bound else None

    def telling(self, effect: SetCheck, refused: Sequence[Refused]) -> SetCheck:
        """The check run of a head whose review was refused holds what the review said, and stands for nothing
        that was said."""
        reviews = [(one.effect, one.why) for one in refused if isinstance(one.effect, PostReview)]
        if effect.untold or not effect.bound or not reviews:
            return effect
        why = " ".join(dict.fromkeys(why for _, why in reviews))
        findings = [part for review, _ in reviews for part in OfPostReview().said(review)]
        return replace(
            effect,
            conclusion="neutral" if effect.conclusion == "success" else effect.conclusion,
            title=f"GitHub refused the review, it stands here: {effect.title}",
            summary=f"The review could not be posted. {why} What it says stands below; it does not count as "
            f"said.\n\n{effect.summary}",
            text="\n\n".join(("### What was to be said", *fitted(findings), effect.text)).rstrip(),
            read=(),
            untold=True,
        )

    def undone(self, effect: SetCheck, github_id: int, facts: UndoFacts) -> Undone:
        """Another one in its place: GitHub lets nobody delete a check run."""
        summary = f"At {facts.asker}'s request. `@{facts.slug} review full` asks for a review again."
        left = unread(gates=facts.gates)
        unjudged = SetCheck(effect.head_sha, left, "Taken back", summary, number=facts.number, bound=False)
        return Undone([unjudged], f"the check run of `{effect.head_sha[:10]}`")


class OfBeginCheck(OnGitHub[BeginCheck]):
    """No row of the outbox, where a run's rows are its plan, which comes later. It is looked for by its head
    before it is made, so that a crash doubles none; a `SetCheck` completes it."""

    kind = BeginCheck
    prose = ("summary",)
    lines = {"title": 140}  # noqa: RUF012
    permissions = ("checks",)
    told_by = "itself"
    stays = "that a review waits: its check run becomes the result"

    async def send(self, effect: BeginCheck, to: Destination) -> Applied:
        output = {"title": fit(effect.title, _MOST_TITLE), "summary": fit(effect.summary)}
        body = {"name": CHECK_NAME, "head_sha": effect.head_sha, "status": "queued", "output": output}
        return applied(await to.post(_MAKE, body))

    async def find(self, effect: BeginCheck, to: Destination) -> Applied | None:
        """Whatever it says."""
        runs = await to.listed(
            _OF_HEAD, "check_runs", sha=effect.head_sha, check_name=CHECK_NAME, app_id=to.marker.app_id
        )
        one = next((run for run in runs if run.get("status") != "completed"), None)
        return applied(one) if one else None


FAMILY = (OfSetCheck(), OfBeginCheck())


def fitted(texts: Sequence[str]) -> Iterator[str]:
    """Whole ones as far as there is room, and how many more there are."""
    room = MOST_TOLD
    for number, one in enumerate(texts):
        room -= utf8_size(one) + 2
        if room < 0 and number:
            yield f"*{len(texts) - number} more did not fit in here.*"
            return
        yield one


def _external_id(check: SetCheck, key: str) -> str:
    """By which a check run is known again, and from which a press of its buttons leads back."""
    return f"{key}#{check.number}" if check.number else key


def _count(run: Any) -> int:
    output = run.get("output") if isinstance(run, dict) else None
    return int((output or {}).get("annotations_count") or 0)


def _output(check: SetCheck, start: int) -> dict[str, Any]:
    annotations = [_annotation(one) for one in check.annotations[start : start + ANNOTATIONS]]
    output: dict[str, Any] = {
        "title": fit(check.title, _MOST_TITLE),
        "summary": fit(check.summary),
        "annotations": annotations,
    }
    return output | ({"text": fit(check.text)} if check.text else {})


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": max(annotation.start_line, annotation.end_line),
        "annotation_level": annotation.level,
        "title": fit(annotation.title, _MOST_TITLE),
        "message": fit(annotation.message, 60_000),
    }
