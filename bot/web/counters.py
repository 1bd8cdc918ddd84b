"""Counts of one process, written as Prometheus reads them.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections.abc import Iterable, Mapping

MOST_SERIES = 300
"""Distinct label values of one counter; the rest is `other`: whoever sends names must not fill the memory."""


class Counter:
    """A number per combination of label values."""

    def __init__(self, name: str, about: str, labels: tuple[str, ...]) -> None:
        self.name, self.about, self.labels = name, about, labels
        self._values: dict[tuple[str, ...], int] = {}

    def add(self, *values: str) -> None:
        """One more."""
        if values not in self._values and len(self._values) >= MOST_SERIES:
            values = ("other",) * len(self.labels)
        self._values[values] = self._values.get(values, 0) + 1

    def get(self, *values: str) -> int:
        return self._values.get(values, 0)

    def lines(self) -> list[str]:
        return series(self.name, self.about, self.labels, self._values, kind="counter")


def series(
    name: str,
    about: str,
    labels: tuple[str, ...],
    values: Mapping[tuple[str, ...], float],
    kind: str = "gauge",
) -> list[str]:
    """One metric with its HELP and TYPE lines."""
    rows = [f"{name}{_labels(labels, key)} {value}" for key, value in sorted(values.items())]
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *rows]


def _labels(names: tuple[str, ...], values: Iterable[str]) -> str:
    pairs = ",".join(f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
