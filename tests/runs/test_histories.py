"""Points about changes cut from real and made-up histories: on the right line, or on none. `make bench
ARGS=reviews` does the same with 300 of them."""

from itertools import chain

import pytest

from tests.histories import Tally, judged, made, own
from tests.living import LivingHob
from tests.runs.test_review import teahouse


@pytest.mark.parametrize("kind", ["true", "untrue"])
async def test_R4_quotes_get_the_right_line_or_none_and_suggestions_apply(hob: LivingHob, kind: str) -> None:
    tally = Tally()
    repo = teahouse(hob)
    for number, cut in enumerate(chain(own(3), made(5))):
        await judged(hob, repo, cut, number, kind, tally)
    assert tally.pulls >= 5
    assert tally.points >= 12
    assert tally.wrong == tally.lost == tally.refused == []
    assert tally.not_applied == tally.not_parsed == []
    assert tally.inline + tally.in_summary + tally.annotated + tally.counted == tally.points
    if kind == "true":
        assert tally.inline == tally.points
        assert tally.suggestions > 0
