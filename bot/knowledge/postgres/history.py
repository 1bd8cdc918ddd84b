"""Commits, who made them, and the paths they touched."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bot.knowledge.postgres.files import Files, slices
from bot.knowledge.postgres.schema import key
from bot.knowledge.shelf import Commit

AT_ONCE = 1000
_COMMIT = """SELECT c.id, encode(c.sha, 'hex'), c.name, c.email, c.at, c.subject, c.body
    FROM commit c WHERE c.repo = %s"""
_NEWEST = "ORDER BY c.at DESC, c.id DESC LIMIT %s"


class History(Files):
    """See `Shelf`."""

    def known_commits(self) -> set[str]:
        return {sha.hex() for (sha,) in self.rows("SELECT sha FROM commit WHERE repo = %s", [self.repo])}

    def put_commits(self, commits: Iterable[tuple[Commit, str]]) -> None:
        with self.writing():
            for some in slices(commits, AT_ONCE):
                known = self._known_of([commit.sha for commit, _ in some])
                fresh = {c.sha: (c, words) for c, words in reversed(some) if c.sha not in known}
                self._put_commits(list(reversed(fresh.values())))

    def _known_of(self, shas: Sequence[str]) -> set[str]:
        found = self.rows(
            "SELECT sha FROM commit WHERE repo = %s AND sha = ANY(%s)",
            [self.repo, [bytes.fromhex(sha) for sha in shas]],
        )
        return {sha.hex() for (sha,) in found}

    def _put_commits(self, commits: Sequence[tuple[Commit, str]]) -> None:
        """New ones."""
        ids = dict(zip(self.new_ids("commit", len(commits)), commits, strict=True))
        lengths = self.add_words("commit", ((at, words) for at, (_, words) in ids.items()))
        self.put(
            "commit (id, sha, name, email, at, subject, body, words)",
            (
                (at, bytes.fromhex(c.sha), c.name, c.email, c.at, c.subject, c.body, lengths[at])
                for at, (c, _) in ids.items()
            ),
        )
        paths = self.path_ids(path for commit, _ in commits for path in commit.paths)
        touched = ((at, paths[path]) for at, (c, _) in ids.items() for path in dict.fromkeys(c.paths))
        self.put("touched (commit, path)", touched)

    def drop_commits(self, shas: Iterable[str]) -> None:
        with self.writing():
            old = self._deleted("commit", "sha", [bytes.fromhex(sha) for sha in shas])
            self.drop_words("commit", old)
            self.rows("DELETE FROM touched WHERE repo = %s AND commit = ANY(%s)", [self.repo, list(old)])

    def commits(self, ids: Collection[int]) -> dict[int, Commit]:
        return dict(self._commits("AND c.id = ANY(%s)", [list(ids)]))

    def commit(self, sha: str) -> Commit | None:
        return next((each for _, each in self._commits("AND c.sha = %s", [bytes.fromhex(sha)])), None)

    def touching(self, paths: Collection[str], limit: int) -> list[Commit]:
        within = (
            "AND c.id IN (SELECT t.commit FROM touched t JOIN path p ON p.repo = t.repo AND p.id = t.path "
            f"WHERE t.repo = %s AND p.key = ANY(%s)) {_NEWEST}"
        )
        return [each for _, each in self._commits(within, [self.repo, list(map(key, paths)), limit])]

    def recent(self, limit: int) -> list[Commit]:
        return [each for _, each in self._commits(_NEWEST, [limit])]

    def _commits(self, within: str, values: Sequence[Any]) -> list[tuple[int, Commit]]:
        with self.reading():
            found = self.rows(f"{_COMMIT} {within}", [self.repo, *values])
            touched = self.rows(
                "SELECT t.commit, p.path FROM touched t JOIN path p ON p.repo = t.repo AND p.id = t.path "
                "WHERE t.repo = %s AND t.commit = ANY(%s) ORDER BY p.path",
                [self.repo, [row[0] for row in found]],
            )
        paths: dict[int, list[str]] = {}
        for number, path in touched:
            paths.setdefault(number, []).append(path)
        return [
            (number, Commit(sha, name, email, at, subject, body, tuple(paths.get(number, ()))))
            for number, sha, name, email, at, subject, body in found
        ]
