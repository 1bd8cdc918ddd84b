"""What a model is asked for by `prompts/review.md` and `prompts/verify.md`."""

from typing import Literal

from pydantic import BaseModel, Field


class FindingAnswer(BaseModel):
    path: str
    quote: str
    severity: Literal["critical", "major", "minor", "nit"]
    category: str = ""
    title: str
    body: str
    replacement: str | None = None
    confidence: float = Field(default=0.5, ge=0, le=1)


class ReviewAnswer(BaseModel):
    findings: list[FindingAnswer]
    summary: str = ""
    """Not asked for: nobody is shown it, and hosts write slowly. Taken where a model gives it."""


class VerifyVerdict(BaseModel):
    index: int
    reason: str = ""
    keep: bool


class VerifyAnswer(BaseModel):
    verdicts: list[VerifyVerdict]
