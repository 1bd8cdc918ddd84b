"""Files by path, what they hold by blob."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import Any

from bot.core.source import Chunk, Reference
from bot.knowledge.parsing.tokens import indexed
from bot.knowledge.storage.base import IDS, SHAS, SqliteBase, listed
from bot.knowledge.storage.types import Blob, Imported, IndexedFile, StoredChunk, Use

LAST_CHUNK, DROPPED = "last chunk", "dropped"
"""In the table `state`."""
_CHUNK = """SELECT c.id, lower(hex(b.sha)), c.kind, c.symbol, c.start, c."end", c.signature
    FROM chunk c JOIN blob b ON b.id = c.blob"""
_OF_BLOBS = "(SELECT id FROM blob WHERE sha IN (SELECT unhex(value) FROM json_each(?1)))"
_WHOSE = {"": "tip", "other_": "NOT tip"}
"""Whose words are in the full-text tables of a name that begins so."""
_DROPS = (
    *(
        f"DELETE FROM {beginning}chunk_words WHERE rowid IN (SELECT c.id FROM chunk c JOIN blob b "
        f"ON b.id = c.blob WHERE {whose} AND b.id IN {_OF_BLOBS})"
        for beginning, whose in _WHOSE.items()
    ),
    *(
        f"DELETE FROM {beginning}file_words WHERE rowid IN (SELECT id FROM blob WHERE {whose} "
        f"AND id IN {_OF_BLOBS})"
        for beginning, whose in _WHOSE.items()
    ),
    f"DELETE FROM vector WHERE of = 'chunk' AND id IN (SELECT id FROM chunk WHERE blob IN {_OF_BLOBS})",
    f"DELETE FROM chunk WHERE blob IN {_OF_BLOBS}",
    f"DELETE FROM word WHERE id IN (SELECT DISTINCT word FROM reference WHERE blob IN {_OF_BLOBS}) "
    f"AND NOT EXISTS (SELECT 1 FROM reference o WHERE o.word = word.id AND o.blob NOT IN {_OF_BLOBS})",
    f"DELETE FROM reference WHERE blob IN {_OF_BLOBS}",
    f"DELETE FROM import WHERE blob IN {_OF_BLOBS}",
    "DELETE FROM blob WHERE sha IN (SELECT unhex(value) FROM json_each(?1))",
)


class Files(SqliteBase):
    """See `IndexStore`."""

    def known(self, shas: Iterable[str], *, tip: bool = False) -> set[str]:
        """Those of the blobs that are in the index, or of these those that were put for the tip."""
        found = self.rows(
            f"SELECT lower(hex(sha)) FROM blob WHERE tip >= ? AND sha IN {SHAS}", [tip, listed(list(shas))]
        )
        return {sha for (sha,) in found}

    def put_blobs(self, blobs: Iterable[Blob], *, tip: bool = True) -> None:
        """One that is there already stays as it is, unless it was another commit's and is the tip's now."""
        with self.writing():
            by_sha = {blob.sha: blob for blob in blobs}
            known = self.known(by_sha, tip=tip)
            new = [blob for sha, blob in by_sha.items() if sha not in known]
            self.drop_blobs(self.known(blob.sha for blob in new))
            self.many(
                "INSERT INTO blob (sha, language, lines, tip) VALUES (?, ?, ?, ?)",
                ((bytes.fromhex(blob.sha), blob.language, blob.lines, tip) for blob in new),
            )
            ids = self._blob_ids([blob.sha for blob in new])
            self._put_all([(ids[blob.sha], blob) for blob in new], tip)

    def _blob_ids(self, shas: Collection[str]) -> dict[str, int]:
        return dict(self.rows(f"SELECT lower(hex(sha)), id FROM blob WHERE sha IN {SHAS}", [listed(shas)]))

    def _put_all(self, new: Sequence[tuple[int, Blob]], tip: bool) -> None:
        """What blobs hold, a table at a time: each statement costs more than the rows it puts."""
        first = self._last_chunk() + 1
        chunks = list(enumerate(((blob, *each) for blob, of in new for each in of.chunks), first))
        self.many(
            "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (at, blob, c.kind, c.symbol, c.start, c.end, c.signature, _name(c))
                for at, (blob, c, _) in chunks
            ),
        )
        self.put_words("chunk" if tip else "other_chunk", ((at, words) for at, (_, _, words) in chunks))
        self.put_words("file" if tip else "other_file", ((blob, of.tokens) for blob, of in new))
        self._put_references(new)
        self.many(
            "INSERT OR IGNORE INTO import VALUES (?, ?, ?)",
            ((blob, i.target, i.line) for blob, of in new for i in of.imports),
        )

    def _put_references(self, new: Iterable[tuple[int, Blob]]) -> None:
        lines: dict[tuple[str, int], set[int]] = defaultdict(set)
        for blob, of in new:
            for each in of.references:
                lines[each.name, blob].add(each.line)
        names = sorted({name for name, _ in lines})
        self.many("INSERT OR IGNORE INTO word (word) VALUES (?)", ((name,) for name in names))
        ids = dict(self.rows(f"SELECT word, id FROM word WHERE word IN {IDS}", [listed(names)]))
        self.many(
            "INSERT INTO reference VALUES (?, ?, ?)",
            sorted(
                (ids[name], blob, " ".join(map(str, sorted(some)))) for (name, blob), some in lines.items()
            ),
        )

    def spare(self) -> list[str]:
        """Blobs put for the tip that no file of it has: replaced, or not yet taken over."""
        found = self.rows(
            "SELECT lower(hex(sha)) FROM blob WHERE tip AND sha NOT IN (SELECT sha FROM file WHERE why = '') "
            "ORDER BY id"
        )
        return [sha for (sha,) in found]

    def others(self) -> list[str]:
        """Blobs put for other commits, those put last come last."""
        return [sha for (sha,) in self.rows("SELECT lower(hex(sha)) FROM blob WHERE NOT tip ORDER BY id")]

    def drop_others(self, share: float, keep: Collection[str] = ()) -> None:
        """Of the blobs of other commits those that were put first, down to a share of the tip's files, but
        none of `keep`."""
        with self.writing():
            most, others = int(share * self.one("SELECT count(*) FROM file WHERE why = ''")), self.others()
            kept = set(keep)
            self.drop_blobs(sha for sha in others[: max(0, len(others) - most)] if sha not in kept)

    def drop_blobs(self, shas: Iterable[str]) -> None:
        """With their chunks, references, imports and vectors."""
        if not (old := list(shas)):
            return
        some = listed(old)
        with self.writing():
            last, dropped = str(self._last_chunk()), str(self.dropped() + len(old))
            self.many("INSERT OR REPLACE INTO state VALUES (?, ?)", [(LAST_CHUNK, last), (DROPPED, dropped)])
            for sql in _DROPS:
                self.rows(sql, [some])

    def _last_chunk(self) -> int:
        """The largest id that was ever given."""
        gone = self.one("SELECT value FROM state WHERE key = ?", [LAST_CHUNK]) or 0
        return max(int(gone), int(self.one("SELECT max(id) FROM chunk") or 0))

    def dropped(self) -> int:
        """Blobs since the words were last merged."""
        return int(self.one("SELECT value FROM state WHERE key = ?", [DROPPED]) or 0)

    def files(self) -> dict[str, IndexedFile]:
        """By path."""
        found = self.rows(
            "SELECT p.path, lower(hex(f.sha)), f.why FROM file f JOIN path p ON p.id = f.path ORDER BY p.path"
        )
        return {path: IndexedFile(path, sha, why) for path, sha, why in found}

    def left_out_as(self, why: str) -> bool:
        """Whether a file is left out for this reason."""
        return bool(self.rows("SELECT 1 FROM file WHERE why = ? LIMIT 1", (why,)))

    def put_files(self, files: Iterable[IndexedFile]) -> None:
        files = list(files)
        with self.writing():
            ids = self.path_ids(file.path for file in files)
            self.many(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?)",
                ((ids[file.path], bytes.fromhex(file.sha), file.why) for file in files),
            )

    def path_ids(self, paths: Iterable[str]) -> dict[str, int]:
        """Of paths, which are put where they were not known."""
        asked = list(dict.fromkeys(paths))
        known = dict(self.rows(f"SELECT path, id FROM path WHERE path IN {IDS}", [listed(asked)]))
        first = int(self.one("SELECT coalesce(max(id), 0) + 1 FROM path"))
        new = dict(zip((path for path in asked if path not in known), count(first), strict=False))
        self.many(
            "INSERT INTO path VALUES (?, ?, ?)",
            ((number, path, path.rpartition("/")[2].casefold()) for path, number in new.items()),
        )
        self.put_words("path", ((number, indexed(path)) for path, number in new.items()))
        return known | new

    def drop_files(self, paths: Iterable[str]) -> None:
        """Their blobs become spare."""
        old = listed(list(paths))
        with self.writing():
            self.rows(f"DELETE FROM file WHERE path IN (SELECT id FROM path WHERE path IN {IDS})", [old])
            self.drop_paths(f"(SELECT id FROM path WHERE path IN {IDS})", old)

    def drop_paths(self, among: str, values: str) -> None:
        """Those of these ids (a query with one parameter) that are of no file and no commit any more."""
        found = self.rows(
            "SELECT id FROM path WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.path = id) "
            f"AND NOT EXISTS (SELECT 1 FROM touched t WHERE t.path = id) AND id IN {among}",
            [values],
        )
        if not found:
            return
        old = [listed([number for (number,) in found])]
        self.rows(f"DELETE FROM path_words WHERE rowid IN {IDS}", old)
        self.rows(f"DELETE FROM path WHERE id IN {IDS}", old)

    def line_counts(self) -> dict[str, int]:
        """blob -> its lines, of those that the tip has."""
        found = self.rows(
            "SELECT lower(hex(sha)), lines FROM blob WHERE sha IN (SELECT sha FROM file WHERE why = '')"
        )
        return dict(found)

    def paths(self, blobs: Collection[str]) -> dict[str, list[str]]:
        """blob -> the paths that have it at the tip."""
        return _grouped(
            self.rows(
                "SELECT lower(hex(f.sha)), p.path FROM file f JOIN path p ON p.id = f.path "
                f"WHERE f.why = '' AND f.sha IN {SHAS} ORDER BY p.path",
                [listed(blobs)],
            )
        )

    def blobs_of(self, paths: Collection[str]) -> dict[str, str]:
        """path -> blob, of the files of the tip that are not left out."""
        found = self.rows(
            "SELECT p.path, lower(hex(f.sha)) FROM path p JOIN file f ON f.path = p.id "
            f"WHERE f.why = '' AND p.path IN {IDS}",
            [listed(paths)],
        )
        return dict(found)

    def paths_like(self, names: Collection[str]) -> dict[str, list[str]]:
        """Last part of a path, in any case -> the files of the tip that are called so."""
        return _grouped(
            self.rows(
                "SELECT p.name, p.path FROM path p JOIN file f ON f.path = p.id "
                f"WHERE f.why = '' AND p.name IN {IDS} ORDER BY p.path",
                [listed([name.casefold() for name in names])],
            )
        )

    def path_names(self, ids: Collection[int]) -> dict[int, str]:
        """Paths by the ids of `match("path", …)`. Not all of them need be at the tip."""
        return dict(self.rows(f"SELECT id, path FROM path WHERE id IN {IDS}", [listed(ids)]))

    def blobs(self, ids: Collection[int]) -> dict[int, str]:
        """Shas by the ids of `match("file", …)`."""
        return dict(self.rows(f"SELECT id, lower(hex(sha)) FROM blob WHERE id IN {IDS}", [listed(ids)]))

    def chunks(self, ids: Collection[int]) -> list[StoredChunk]:
        return _stored(self.rows(f"{_CHUNK} WHERE c.id IN {IDS}", [listed(ids)]))

    def chunks_of(self, blobs: Collection[str]) -> list[StoredChunk]:
        """By blob and line."""
        sql = f"{_CHUNK} WHERE b.sha IN {SHAS} ORDER BY b.id, c.start, c.id"
        return _stored(self.rows(sql, [listed(blobs)]))

    def defined(self, names: Collection[str]) -> list[StoredChunk]:
        """Functions and classes whose symbol, or its last part, is one of the names, in any case."""
        asked = {name.casefold() for name in names}
        last = {name.rpartition(".")[2] for name in asked}
        found = _stored(self.rows(f"{_CHUNK} WHERE c.name IN {IDS} ORDER BY c.id", [listed(last)]))
        return [each for each in found if _is_one_of(asked, each.chunk.symbol.casefold())]

    def uses(self, names: Collection[str], limit: int) -> list[Use]:
        """Where the tip refers to these names (exactly as written)."""
        found = self.rows(
            "SELECT w.word, p.path, r.lines FROM word w JOIN reference r ON r.word = w.id "
            "JOIN blob b ON b.id = r.blob JOIN file f ON f.sha = b.sha AND f.why = '' "
            f"JOIN path p ON p.id = f.path WHERE w.word IN {IDS} ORDER BY w.word, p.path LIMIT ?",
            [listed(names), limit],
        )
        return [Use(name, path, tuple(map(int, lines.split()))) for name, path, lines in found]

    def references_of(self, blob: str) -> list[Reference]:
        found = self.rows(
            "SELECT w.word, r.lines FROM blob b JOIN reference r ON r.blob = b.id "
            "JOIN word w ON w.id = r.word WHERE b.sha = ?",
            [bytes.fromhex(blob)],
        )
        every = [Reference(name, int(line)) for name, lines in found for line in lines.split()]
        return sorted(every, key=lambda each: (each.line, each.name))

    def imports(self) -> list[Imported]:
        """All of the tip."""
        found = self.rows(
            "SELECT p.path, i.target, i.line FROM import i JOIN blob b ON b.id = i.blob "
            "JOIN file f ON f.sha = b.sha AND f.why = '' JOIN path p ON p.id = f.path ORDER BY p.path, i.line"
        )
        return [Imported(*row) for row in found]


def _name(chunk: Chunk) -> str | None:
    """The last part of a symbol, by which it is found."""
    if chunk.kind not in ("function", "class") or not chunk.symbol:
        return None
    return chunk.symbol.rpartition(".")[2].casefold()


def _is_one_of(names: set[str], symbol: str) -> bool:
    return symbol in names or symbol.rpartition(".")[2] in names


def _stored(rows: Iterable[tuple[Any, ...]]) -> list[StoredChunk]:
    """Of (id, sha of the blob, and the fields of a chunk)."""
    return [StoredChunk(number, blob, Chunk(*chunk)) for number, blob, *chunk in rows]


def _grouped(rows: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    """key -> its values, in the order of the rows."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return dict(found)
