"""One call of a model, as it is remembered: a line of a run's trace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """Who was asked what, and what it cost. `at` is epoch seconds; `failure` is empty for an answer that
    could be used, else why it could not; `left_out` names what the
    model did not get: passages, and credentials that were hidden."""

    at: float
    prompt: str
    role: str
    host: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    failure: str = ""
    left_out: tuple[str, ...] = ()
    cost_usd: float = 0.0
    cached: bool = False
