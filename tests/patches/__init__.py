"""Scripted patches over real files: some that hold, some that do not, some that mean harm."""

from itertools import islice

from tests.patches import good, refused
from tests.patches.case import Case, Texts

GOOD, MISTAKEN = 130, 60


def scripted(sources: Texts, seed: int = 12) -> list[Case]:
    """Three hundred and more."""
    fine = islice(good.cases(sources, seed), GOOD)
    return [
        *fine,
        *islice(refused.honest(sources, seed), MISTAKEN),
        *refused.malicious(sources, seed),
        *refused.malicious(sources, seed + 1),
    ]
