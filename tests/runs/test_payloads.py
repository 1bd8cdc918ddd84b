"""Every payload that GitHub publishes as an example goes through signature, router and handlers without an
unhandled error."""

import json
import logging
import re

import pytest

from tests.living import LivingHob
from tests.samples.webhooks import example_payloads


async def test_all_published_examples_are_taken_and_end_quietly(
    hob: LivingHob, caplog: pytest.LogCaptureFixture
) -> None:
    examples = example_payloads()
    assert len(examples) == 329
    hob.github.repository("octo/tea")
    for number, (event, _, payload) in enumerate(examples):
        assert hob.receive(event, json.dumps(payload).encode(), f"example-{number}")
    with caplog.at_level(logging.INFO):
        runs = await hob.works()
    counts = hob.services.store.inbox.counts()
    gone = [int(found[1]) for run in runs if (found := re.search(r"(\d+) deliveries deleted", run.summary))]
    assert gone
    assert sum(counts.values()) + sum(gone) == 329
    assert "new" not in counts
    assert counts["ignored"] > 240  # most are of no event of ours
    lost = {run.handler for run in runs if run.state == "dead"}
    assert lost <= {"merge-group", "unfinished:merge-group"}  # its head is in no repository here
    assert {run.state for run in runs} <= {"done", "ignored", "superseded", "queued", "dead"}
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
