"""The stand-in and its clients, as `tests/github` has them."""

from tests.github.conftest import connect, contract, gh, github, pem, pull, repo, repository

__all__ = ["connect", "contract", "gh", "github", "pem", "pull", "repo", "repository"]
