"""The stand-in, and a caller that speaks plain HTTP to it."""

from tests.fakes.github import github

__all__ = ["github"]
