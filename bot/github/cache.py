"""Answers kept for their ETag: asking again costs no rate limit when nothing has changed (304).

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
"""

from collections import OrderedDict
from collections.abc import Hashable

from bot.github.wire import GitHubResponse

CacheKey = tuple[Hashable, ...]


class ETagCache:
    """The answers used last, within a number of entries and of bytes.

    A key begins with the identity that asked (installation, repository, permissions): what one may read is
    never given to another.
    """

    def __init__(self, entries: int = 256, size: int = 8 * 1024 * 1024) -> None:
        self._entries = entries
        self._size = size
        self._used = 0
        self._answers: OrderedDict[CacheKey, GitHubResponse] = OrderedDict()

    def get(self, key: CacheKey) -> GitHubResponse | None:
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: CacheKey, answer: GitHubResponse) -> None:
        """Keeps an answer that has an ETag, unless it alone would fill a quarter of the cache."""
        if "etag" not in answer.headers or len(answer.body) > self._size // 4:
            return
        self._drop(key)
        self._answers[key] = answer
        self._used += len(answer.body)
        while self._used > self._size or len(self._answers) > self._entries:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: CacheKey) -> None:
        old = self._answers.pop(key, None)
        if old is not None:
            self._used -= len(old.body)

    def __len__(self) -> int:
        return len(self._answers)
