"""Commits, who made them, and the paths they touched."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from bot.knowledge.storage.base import IDS, SHAS, Value, listed
from bot.knowledge.storage.files import Files
from bot.knowledge.storage.types import IndexedCommit

_COMMIT = """SELECT c.id, lower(hex(c.sha)), p.name, p.email, c.at, c.subject, c.body
    FROM "commit" c JOIN person p ON p.id = c.person"""
_OLD = '(SELECT id FROM "commit" WHERE sha IN (SELECT unhex(value) FROM json_each(?1)))'


class History(Files):
    """See `IndexStore`."""

    def known_commits(self) -> set[str]:
        return {sha for (sha,) in self.rows('SELECT lower(hex(sha)) FROM "commit"')}

    def count_commits(self) -> int:
        return int(self.one('SELECT count(*) FROM "commit"'))

    def put_commits(self, commits: Iterable[tuple[IndexedCommit, str]]) -> None:
        """Each with the tokens of its message. A commit that is there already stays as it is."""
        with self.writing():
            by_sha = {commit.sha: (commit, words) for commit, words in commits}
            known = self.rows(f'SELECT lower(hex(sha)) FROM "commit" WHERE sha IN {SHAS}', [listed(by_sha)])
            for (sha,) in known:
                del by_sha[sha]
            first = int(self.one('SELECT coalesce(max(id), 0) + 1 FROM "commit"'))
            self._put_commits([(number, *each) for number, each in enumerate(by_sha.values(), first)])

    def _put_commits(self, new: Sequence[tuple[int, IndexedCommit, str]]) -> None:
        """A table at a time: each statement costs more than the rows it puts."""
        self.many(
            "INSERT OR IGNORE INTO person (name, email) VALUES (?, ?)",
            dict.fromkeys((c.name, c.email) for _, c, _ in new),
        )
        self.many(
            'INSERT INTO "commit" SELECT ?, ?, id, ?, ?, ? FROM person WHERE name = ? AND email = ?',
            ((at, bytes.fromhex(c.sha), c.at, c.subject, c.body, c.name, c.email) for at, c, _ in new),
        )
        self.put_words("commit", ((at, words) for at, _, words in new))
        paths = self.path_ids(path for _, c, _ in new for path in c.paths)
        self.many(
            "INSERT OR IGNORE INTO touched VALUES (?, ?)",
            ((at, paths[path]) for at, c, _ in new for path in c.paths),
        )

    def drop_commits(self, shas: Iterable[str]) -> None:
        if not (some := list(shas)):
            return
        old = listed(some)
        with self.writing():
            paths = self.rows(f'SELECT DISTINCT path FROM touched WHERE "commit" IN {_OLD}', [old])
            self.rows(f"DELETE FROM commit_words WHERE rowid IN {_OLD}", [old])
            self.rows(f'DELETE FROM touched WHERE "commit" IN {_OLD}', [old])
            self.rows(f'DELETE FROM "commit" WHERE id IN {_OLD}', [old])
            self.drop_paths(IDS, listed([number for (number,) in paths]))
            self.rows('DELETE FROM person WHERE id NOT IN (SELECT person FROM "commit")')

    def commits(self, ids: Collection[int]) -> dict[int, IndexedCommit]:
        """By the ids of `match("commit", …)`, with their paths."""
        return dict(self._commits(f"WHERE c.id IN {IDS}", [listed(ids)]))

    def commit(self, sha: str) -> IndexedCommit | None:
        return next((each for _, each in self._commits(f"WHERE c.sha IN {SHAS}", [listed([sha])])), None)

    def touching(self, paths: Collection[str], limit: int) -> list[IndexedCommit]:
        """The newest commits that touched one of the paths, newest first."""
        within = (
            'WHERE c.id IN (SELECT t."commit" FROM touched t JOIN path p ON p.id = t.path '
            f"WHERE p.path IN {IDS}) ORDER BY c.at DESC, c.id DESC LIMIT ?"
        )
        return [each for _, each in self._commits(within, [listed(paths), limit])]

    def commits_saying(self, words: str, limit: int = 20) -> list[IndexedCommit]:
        """The newest commits with these very words in their message, newest first."""
        within = "WHERE instr(c.subject, ?1) OR instr(c.body, ?1) ORDER BY c.at DESC, c.id DESC LIMIT ?2"
        return [each for _, each in self._commits(within, [words, limit])]

    def recent(self, limit: int) -> list[IndexedCommit]:
        """Newest first."""
        return [each for _, each in self._commits("ORDER BY c.at DESC, c.id DESC LIMIT ?", [limit])]

    def recent_paths(self, limit: int) -> list[list[str]]:
        """What the newest commits touched, newest first, in no order: quicker than `recent`."""
        found = self.rows(
            'SELECT c.id, p.path FROM (SELECT id, at FROM "commit" ORDER BY at DESC, id DESC LIMIT ?) c '
            'LEFT JOIN touched t ON t."commit" = c.id LEFT JOIN path p ON p.id = t.path '
            "ORDER BY c.at DESC, c.id DESC",
            [limit],
        )
        paths: dict[int, list[str]] = {}
        for number, path in found:
            paths.setdefault(number, []).extend([path] if path is not None else [])
        return list(paths.values())

    def _commits(self, within: str, values: Sequence[Value]) -> list[tuple[int, IndexedCommit]]:
        found = self.rows(f"{_COMMIT} {within}", values)
        paths: dict[int, list[str]] = defaultdict(list)
        touched = self.rows(
            'SELECT t."commit", p.path FROM touched t JOIN path p ON p.id = t.path '
            f'WHERE t."commit" IN {IDS} ORDER BY p.path',
            [listed([row[0] for row in found])],
        )
        for number, path in touched:
            paths[number].append(path)
        return [
            (number, IndexedCommit(sha, name, email, at, subject, body, tuple(paths[number])))
            for number, sha, name, email, at, subject, body in found
        ]
