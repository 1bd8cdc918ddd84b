"""A living Hob for those tests that kill another process of it."""

from tests.runs.conftest import contract, github, hob, ollama

__all__ = ["contract", "github", "hob", "ollama"]
