"""Files by path, what they hold by blob."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from bot.core.source import Chunk, Reference
from bot.knowledge.postgres.schema import key
from bot.knowledge.postgres.vectors import Vectors
from bot.knowledge.postgres.words import Words
from bot.knowledge.rows import grouped, lines_by_name, references_of, stored
from bot.knowledge.shelf import Blob, File, Imported, StoredChunk, Use
from bot.knowledge.tokens import indexed

AT_ONCE = 200
"""Blobs of one segment of words: what is held in memory."""
_CHUNK = """SELECT c.id, encode(b.sha, 'hex'), c.kind, c.symbol, c.start, c."end", c.signature
    FROM chunk c JOIN blob b ON b.repo = c.repo AND b.id = c.blob WHERE c.repo = %s AND"""
_TIP = (
    "JOIN file f ON f.repo = b.repo AND f.sha = b.sha AND f.why = '' "
    "JOIN path p ON p.repo = f.repo AND p.id = f.path"
)
_USED = "SELECT sha FROM file WHERE repo = %s AND why = ''"

_T = TypeVar("_T")


class Files(Words, Vectors):
    """See `Shelf`."""

    def known(self, shas: Iterable[str]) -> set[str]:
        found = self.rows("SELECT sha FROM blob WHERE repo = %s AND sha = ANY(%s)", [self.repo, _bytes(shas)])
        return {sha.hex() for (sha,) in found}

    def put_blobs(self, blobs: Iterable[Blob]) -> None:
        with self.writing():
            for some in slices(blobs, AT_ONCE):
                by_sha = {blob.sha: blob for blob in reversed(some)}
                known = self.known(by_sha)
                self._put_blobs([blob for sha, blob in reversed(by_sha.items()) if sha not in known])

    def _put_blobs(self, blobs: Sequence[Blob]) -> None:
        """New ones."""
        ids = dict(zip(self.new_ids("file", len(blobs)), blobs, strict=True))
        lengths = self.add_words("file", ((at, blob.tokens) for at, blob in ids.items()))
        self.put(
            "blob (id, sha, language, lines, words)",
            ((at, bytes.fromhex(b.sha), b.language, b.lines, lengths[at]) for at, b in ids.items()),
        )
        chunks = [(at, *chunk) for at, blob in ids.items() for chunk in blob.chunks]
        numbered = list(zip(self.new_ids("chunk", len(chunks)), chunks, strict=True))
        lengths = self.add_words("chunk", ((at, words) for at, (_, _, words) in numbered))
        self.put(
            'chunk (id, blob, kind, symbol, start, "end", signature, words)',
            (
                (at, blob, c.kind, c.symbol, c.start, c.end, c.signature, lengths[at])
                for at, (blob, c, _) in numbered
            ),
        )
        self.put(
            "symbol (name, chunk)",
            ((name, at) for at, (_, chunk, _) in numbered for name in _names(chunk)),
        )
        self.put("reference (word, blob, name, lines)", _references(ids))
        imports = {(at, each.target, each.line) for at, blob in ids.items() for each in blob.imports}
        self.put("import (blob, target, line)", sorted(imports))

    def spare(self) -> list[str]:
        found = self.rows(
            f"SELECT sha FROM blob WHERE repo = %s AND sha NOT IN ({_USED}) ORDER BY id",
            [self.repo, self.repo],
        )
        return [sha.hex() for (sha,) in found]

    def drop_blobs(self, shas: Iterable[str]) -> None:
        with self.writing():
            blobs = self._deleted("blob", "sha", _bytes(shas))
            self.drop_words("file", blobs)
            chunks = self._deleted("chunk", "blob", list(blobs))
            self.drop_words("chunk", chunks)
            self.drop_vectors_of("chunk", chunks)
            self.rows("DELETE FROM symbol WHERE repo = %s AND chunk = ANY(%s)", [self.repo, list(chunks)])
            for table in ("reference", "import"):
                self.rows(f"DELETE FROM {table} WHERE repo = %s AND blob = ANY(%s)", [self.repo, list(blobs)])

    def _deleted(self, table: str, by: str, values: Sequence[Any]) -> dict[int, int]:
        """Deletes rows; their ids and how many words they had."""
        sql = f"DELETE FROM {table} WHERE repo = %s AND {by} = ANY(%s) RETURNING id, words"
        return dict(self.rows(sql, [self.repo, list(values)]))

    def files(self) -> dict[str, File]:
        found = self.rows(
            "SELECT p.path, f.sha, f.why FROM file f JOIN path p ON p.repo = f.repo AND p.id = f.path "
            "WHERE f.repo = %s ORDER BY p.path",
            [self.repo],
        )
        return {path: File(path, sha.hex(), why) for path, sha, why in found}

    def put_files(self, files: Iterable[File]) -> None:
        with self.writing():
            by_path = {file.path: file for file in files}
            ids = self.path_ids(by_path)
            self.rows("DELETE FROM file WHERE repo = %s AND path = ANY(%s)", [self.repo, list(ids.values())])
            rows = ((ids[file.path], bytes.fromhex(file.sha), file.why) for file in by_path.values())
            self.put("file (path, sha, why)", rows)

    def path_ids(self, paths: Iterable[str]) -> dict[str, int]:
        """Of paths, which are put where they were not known."""
        keys = {key(path): path for path in paths}
        found = self.rows(
            "SELECT key, id FROM path WHERE repo = %s AND key = ANY(%s)", [self.repo, list(keys)]
        )
        ids = {keys[each]: number for each, number in found}
        fresh = [path for path in keys.values() if path not in ids]
        new = dict(zip(fresh, self.new_ids("path", len(fresh)), strict=True))
        self.put(
            "path (id, key, path, name)",
            ((number, key(path), path, key(_last(path))) for path, number in new.items()),
        )
        self.add_words("path", ((number, indexed(path)) for path, number in new.items()))
        return ids | new

    def drop_files(self, paths: Iterable[str]) -> None:
        self.rows(
            "DELETE FROM file WHERE repo = %s AND path IN "
            "(SELECT id FROM path WHERE repo = %s AND key = ANY(%s))",
            [self.repo, self.repo, list(map(key, paths))],
        )

    def paths(self, blobs: Collection[str]) -> dict[str, list[str]]:
        return grouped(
            self.rows(
                "SELECT encode(f.sha, 'hex'), p.path FROM file f "
                "JOIN path p ON p.repo = f.repo AND p.id = f.path "
                "WHERE f.repo = %s AND f.why = '' AND f.sha = ANY(%s) ORDER BY p.path",
                [self.repo, _bytes(blobs)],
            )
        )

    def blobs_of(self, paths: Collection[str]) -> dict[str, str]:
        found = self.rows(
            "SELECT p.path, encode(f.sha, 'hex') FROM path p "
            "JOIN file f ON f.repo = p.repo AND f.path = p.id "
            "WHERE p.repo = %s AND f.why = '' AND p.key = ANY(%s)",
            [self.repo, list(map(key, paths))],
        )
        return dict(found)

    def paths_like(self, names: Collection[str]) -> dict[str, list[str]]:
        found = self.rows(
            "SELECT p.path FROM path p JOIN file f ON f.repo = p.repo AND f.path = p.id "
            "WHERE p.repo = %s AND f.why = '' AND p.name = ANY(%s) ORDER BY p.path",
            [self.repo, [key(name.casefold()) for name in names]],
        )
        return grouped((_last(path), path) for (path,) in found)

    def path_names(self, ids: Collection[int]) -> dict[int, str]:
        sql = "SELECT id, path FROM path WHERE repo = %s AND id = ANY(%s)"
        return dict(self.rows(sql, [self.repo, list(ids)]))

    def blobs(self, ids: Collection[int]) -> dict[int, str]:
        sql = "SELECT id, encode(sha, 'hex') FROM blob WHERE repo = %s AND id = ANY(%s)"
        return dict(self.rows(sql, [self.repo, list(ids)]))

    def chunks(self, ids: Collection[int]) -> list[StoredChunk]:
        return stored(self.rows(f"{_CHUNK} c.id = ANY(%s) ORDER BY c.id", [self.repo, list(ids)]))

    def chunks_of(self, blobs: Collection[str]) -> list[StoredChunk]:
        sql = f"{_CHUNK} b.sha = ANY(%s) ORDER BY b.id, c.start, c.id"
        return stored(self.rows(sql, [self.repo, _bytes(blobs)]))

    def defined(self, names: Collection[str]) -> list[StoredChunk]:
        sql = f"{_CHUNK} c.id IN (SELECT chunk FROM symbol WHERE repo = %s AND name = ANY(%s)) ORDER BY c.id"
        folded = [key(name.casefold()) for name in names]
        return stored(self.rows(sql, [self.repo, self.repo, folded]))

    def uses(self, names: Collection[str], limit: int) -> list[Use]:
        found = self.rows(
            "SELECT r.name, p.path, r.lines FROM reference r "
            f"JOIN blob b ON b.repo = r.repo AND b.id = r.blob {_TIP} "
            "WHERE r.repo = %s AND r.word = ANY(%s) ORDER BY r.name, p.path LIMIT %s",
            [self.repo, list(map(key, names)), limit],
        )
        return [Use(name, path, tuple(map(int, lines.split()))) for name, path, lines in found]

    def references_of(self, blob: str) -> list[Reference]:
        found = self.rows(
            "SELECT r.name, r.lines FROM reference r JOIN blob b ON b.repo = r.repo AND b.id = r.blob "
            "WHERE r.repo = %s AND b.sha = %s",
            [self.repo, bytes.fromhex(blob)],
        )
        return references_of(found)

    def imports(self) -> list[Imported]:
        found = self.rows(
            "SELECT p.path, i.target, i.line FROM import i "
            f"JOIN blob b ON b.repo = i.repo AND b.id = i.blob {_TIP} "
            "WHERE i.repo = %s ORDER BY p.path, i.line, i.target",
            [self.repo],
        )
        return [Imported(*row) for row in found]


def slices(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of at most so many, in order."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _bytes(shas: Iterable[str]) -> list[bytes]:
    return [bytes.fromhex(sha) for sha in shas]


def _last(path: str) -> str:
    """What a path is called, in any case."""
    return path.rpartition("/")[2].casefold()


def _names(chunk: Chunk) -> set[bytes]:
    """What a chunk is found by: its symbol and the last part of it."""
    if chunk.kind not in ("function", "class") or not chunk.symbol:
        return set()
    whole = chunk.symbol.casefold()
    return {key(whole), key(whole.rpartition(".")[2])}


def _references(blobs: dict[int, Blob]) -> Iterator[tuple[bytes, int, str, str]]:
    for at, blob in blobs.items():
        for name, lines in lines_by_name(blob.references).items():
            yield key(name), at, name, lines
