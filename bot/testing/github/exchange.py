"""What came in and what went out, kept for tests to look at."""

from dataclasses import dataclass, field
from typing import Any

_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(eq=False)
class Exchange:
    """One request and its answer. `path` is without /api/v3; `permissions` and `repository_ids` are the
    token's (None without one); `status` 0: no answer was given. `fault`: the kind of fault that struck, if
    one did."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    json: Any
    at: float
    permissions: dict[str, str] | None = None
    repository_ids: tuple[int, ...] | None = None
    status: int = 0
    seconds: float = 0.0
    """What deciding on the answer took."""
    answer: Any = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def is_mint(self) -> bool:
        """Whether it asked for or gave back a token."""
        return self.path.endswith("/access_tokens") or self.path == "/installation/token"

    @property
    def is_write(self) -> bool:
        return self.method not in _READS and not self.is_mint and self.path != "/graphql"

    @property
    def text(self) -> str:
        """All that the caller said, but for the credential that it must show."""
        headers = "\n".join(
            f"{name}: {value}" for name, value in self.headers.items() if name != "authorization"
        )
        query = "\n".join(f"{name}={value}" for name, value in self.query.items())
        return "\n".join((self.method, self.path, query, headers, self.body.decode("utf-8", "replace")))

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} {self.status}{f' {self.fault}' if self.fault else ''}>"
