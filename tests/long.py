"""How often things of chance are tried: some by default, many with `make test-long`."""

import os

LONG = os.environ.get("HOB_TEST_LONG") == "1"


def kills(many: int) -> int:
    """Random moments at which something is killed; `many` is at least 10."""
    return many if LONG else 3


def examples(many: int) -> int:
    """Of Hypothesis, for one property."""
    return many if LONG else min(many, 100)
