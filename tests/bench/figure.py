"""One row of the table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`measured`, `bar` and `baseline` with their units."""

    name: str
    measured: str
    bar: str
    met: bool
    baseline: str = ""
