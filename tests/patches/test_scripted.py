"""Three hundred patches over real files, each tried as a model's answer would be."""

from collections import Counter

import pytest

from bot.core.edits import apply
from tests.patches import scripted
from tests.patches.case import LANGUAGES, Case, own_sources

SOURCES = own_sources()
CASES = scripted(SOURCES)


def wrong(case: Case) -> str:
    """What came out otherwise than it has to; empty where nothing did."""
    edited = apply(case.edits, case.heads)
    if not case.cause:
        said = "; ".join(one.why for one in edited.problems)
        return said or ("" if edited.texts == case.after else "not byte for byte")
    if edited.texts:
        return f"it changed {sorted(edited.texts)}"
    told = [(one.cause, one.why) for one in edited.problems]
    return "" if any(cause == case.cause and case.why in why for cause, why in told) else f"said {told}"


@pytest.mark.parametrize("first", range(0, len(CASES), 50))
def test_S7_every_good_patch_is_applied_byte_for_byte_and_every_other_one_refused_with_its_reason(
    first: int,
) -> None:
    some = CASES[first : first + 50]
    assert [(case.name, said) for case in some if (said := wrong(case))] == []


def test_the_cases_are_three_hundred_of_six_languages() -> None:
    assert len(CASES) >= 300
    kinds = Counter(
        "good" if not case.cause else "malicious" if case.malicious else "mistaken" for case in CASES
    )
    assert min(kinds.values()) >= 50
    for end in LANGUAGES:
        assert sum(any(path.endswith(end) for path in case.heads) for case in CASES) >= 20, end
