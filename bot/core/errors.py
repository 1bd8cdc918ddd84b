"""The error tree.

HobError
├── UserError            a person did something that can be mended: one sentence, one hint
│   └── ConfigError      in hob.toml, the environment or .github/hob.yml
├── TemporaryError       try again later; `retry_after` in seconds when the other side named it
│   ├── RateLimited      GitHub asked us to wait
│   ├── OtherVersion     another version's, while machines are upgraded one by one
│   └── QueryTooLarge    GitHub could not answer so much at once: ask for less
├── GitHubError          GitHub refused for good: `status`, `message`
│   ├── Gone             not found or no longer ours (404, 410, suspended): stop, no retries
│   └── Ambiguous        nobody knows whether the write happened (5xx, time-out, reset)
├── BadPayload           a delivery that cannot be read; it is quarantined
└── Superseded           a newer head, a closed pull request or another worker took over: end quietly
"""

from typing import Literal

Kind = Literal[
    "limit",  # asked too often or too fast; waited for
    "pending",  # a review of ours is being made there; waited for
    "too large",  # more than GitHub answers at once; asked for in parts
    "line",  # a line that is not in the diff
    "locked",  # a conversation that takes no comments
    "archived",  # a repository that takes nothing
    "permission",  # the App may not
    "gone",  # not there, or no longer ours
    "validation",  # GitHub does not take it so
    "unclear",  # nobody knows whether it happened
    "other",
]
"""What a refusal of GitHub's means (`bot.github.refusals`)."""


class HobError(Exception):
    """Everything that Hob raises on purpose."""


class UserError(HobError):
    """Says to a person what is wrong (`str`) and what to do (`hint`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(UserError):
    """A configuration that cannot be used."""


class TemporaryError(HobError):
    """Will pass; seconds to wait in `retry_after` where they are known."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OthersWait(TemporaryError):
    """Work that nobody waits for gives way: it comes again, as often as it has to."""


class OtherVersion(TemporaryError):
    """Made by another version of Hob, which may be at work beside this one, and can go on with it."""


class RateLimited(TemporaryError):
    """GitHub's primary or secondary limit."""


class QueryTooLarge(TemporaryError):
    """GitHub gave up on a query for its size: less of it may be had."""


class GitHubError(HobError):
    """A definite refusal by GitHub."""

    def __init__(self, status: int, message: str, kind: Kind = "other") -> None:
        super().__init__(f"GitHub answered {status}: {message}")
        self.status = status
        self.message = message
        self.kind = kind


class Gone(GitHubError):
    """The thing, or our access to it, is no longer there."""


class Ambiguous(GitHubError):
    """The write may or may not have happened; look before sending again."""


class BadPayload(HobError):
    """A delivery whose body is not what its event name promises."""


class Superseded(HobError):
    """The work is no longer wanted."""


class LeaseLost(Superseded):
    """By this worker: another has the run, or may have it, and says whether it is wanted."""
