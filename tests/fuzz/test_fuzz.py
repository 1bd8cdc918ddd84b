"""No reader of hostile text ends in another way than it says, or takes long: what is kept of `make fuzz`
again, and a little chance, the same each time."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.documents import documents, inputs_of
from tests.fuzz.targets import TARGETS
from tests.fuzz.watching import complaint
from tests.long import LONG


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused_in_its_time(name: str) -> None:
    target = TARGETS[name]
    wrong = {data[:200]: told for data in inputs_of(name) if (told := complaint(target, data))}
    assert not wrong

    @settings(
        max_examples=5_000 if LONG else 100 if target.rate < 1 else 40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(documents(name, 8_000 if LONG else 800))
    def nothing_is_wrong(data: bytes) -> None:
        assert not complaint(target, data)

    nothing_is_wrong()
