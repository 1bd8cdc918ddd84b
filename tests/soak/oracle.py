"""Whether a soak ended well, told by the stand-in and the database, which must agree."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bot.github.payloads import reads
from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests.soak.people import BOT, Act, People, answers

LIVE = ("queued", "running", "planned")
_MARK = re.compile(r"<!-- hob:v1 ([0-9a-f]+) [0-9a-f]{32} -->\s*\Z")
_TEXTS = ("Comment", "PostReview", "ReplyInThread", "SetCheck")
"""Effects that leave something with a key on GitHub."""


class Ledger:
    """The database, read only."""

    def __init__(self, url: str) -> None:
        """`url`: SQLAlchemy's."""
        _, _, rest = url.partition("hob@/")
        name, _, host = rest.partition("?host=")
        self._told = f"host={host} user=hob dbname={name} connect_timeout=2"
        self._connection: psycopg.Connection[Any] | None = None

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """psycopg.Error while the server is away."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._told, autocommit=True)
            return self._connection.execute(query, values or None).fetchall()
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def note_ends(ledger: Ledger, acts: Sequence[Act]) -> None:
    """Writes into acts how their runs ended, where all of them have. psycopg.Error."""
    guids = [guid for act in acts for guid, _, _ in act.deliveries]
    states = dict(ledger.rows("SELECT guid, state FROM inbox WHERE guid = ANY(%s)", guids))
    runs: dict[str, list[str]] = {}
    query = "SELECT delivery, state, handler, summary, error FROM runs WHERE delivery = ANY(%s)"
    for guid, state, handler, summary, error in ledger.rows(query, guids):
        runs.setdefault(guid, []).append(
            state if state in LIVE else f"{state}: {handler}: {error if state == 'dead' else summary}"
        )
    for act in acts:
        ends: list[str] = []
        for guid, event, action in act.deliveries:
            state = states.get(guid, "" if reads(event, action) else "ignored")
            ends += ["queued"] if state in ("", "new") else runs.get(guid, [])
            ends += [f"quarantined: {event}"] if state == "quarantined" else []
        if not set(ends) & set(LIVE):
            act.ends = tuple(ends)


@dataclass
class Verdict:
    """Each list is empty where all is well."""

    effects: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """On GitHub, and nobody knows of it."""
    open: list[str] = field(default_factory=list)
    """Rows of the outbox that wait for something."""
    dead: Counter[str] = field(default_factory=Counter)
    """Runs that were given up, by their reason."""
    ends: Counter[str] = field(default_factory=Counter)


def judge(people: People, ledger: Ledger, writes: Sequence[tuple[str, str]]) -> Verdict:
    """`writes`: (method, path) of all writes that took effect at GitHub, whatever was answered."""
    found = Verdict()
    there = Counter(key for repo in people.repos.values() for key in _keys(repo))
    found.effects = sum(there.values())
    found.twice = [f"{key}: {count} times" for key, count in there.items() if count > 1]
    query = "SELECT key, kind, state, target, error FROM outbox WHERE kind = ANY(%s)"
    rows = {key: rest for key, *rest in ledger.rows(query, list(_TEXTS))}
    for key, (kind, state, target, _) in rows.items():
        if state == "done" and key not in there:
            found.lost.append(f"{kind} on {target}: {key} is said to be done")
    found.unknown = [key for key in there if rows.get(key, ("", ""))[1] != "done"]
    found.open = [
        f"{kind} on {target} is {state}: {error}"
        for kind, state, target, error in ledger.rows(
            "SELECT kind, outbox.state, outbox.target, outbox.error FROM outbox JOIN runs ON runs.id = run_id"
            " WHERE outbox.state IN ('sending', 'ambiguous', 'waiting')"
            " OR outbox.state = 'planned' AND runs.state = ANY(%s)",
            list(LIVE),
        )
    ]
    _judge_answers(people, found)
    _judge_labels(people, ledger, writes, found)
    for state, handler, error in ledger.rows("SELECT state, handler, error FROM runs"):
        found.ends[state] += 1
        if state == "dead":
            found.dead[f"{handler}: {error}"] += 1
    for one in people.acts:
        if one.settled and one.seen and not one.seen_at:
            found.ends["closed or pushed over before"] += 1
    return found


def _judge_answers(people: People, found: Verdict) -> None:
    """One comment for each command, where no run of the conversation ended otherwise."""
    for repo in people.repos.values():
        for issue in repo.issues.values():
            wanted, said = people.asked[repo.full_name, issue.number], answers(issue)
            where = f"{repo.full_name}#{issue.number}"
            if said < wanted:
                found.lost.append(f"{where}: {said} answers to {wanted} commands")


def _judge_labels(people: People, ledger: Ledger, writes: Sequence[tuple[str, str]], found: Verdict) -> None:
    """Each issue's labels were put as often as the outbox says."""
    rows = ledger.rows("SELECT target FROM outbox WHERE kind = 'AddLabels' AND state = 'done'")
    meant = Counter(target.split("/")[0] for (target,) in rows)
    put = Counter(path for method, path in writes if method == "POST" and path.endswith("/labels"))
    for repo in people.repos.values():
        for number in repo.issues:
            path, target = f"/repos/{repo.full_name}/issues/{number}/labels", f"{repo.id}#{number}"
            if put[path] > meant[target]:
                found.twice.append(f"labels of {repo.full_name}#{number}: put {put[path]} times")
            found.effects += put[path]


def _keys(repo: Any) -> Iterator[str]:
    for issue in repo.issues.values():
        texts = [one.body for one in issue.comments if one.author.login == BOT]
        if isinstance(issue, PullRequest):
            texts += [one.body for one in issue.reviews if one.author.login == BOT and one.body]
            theirs = [one for one in issue.review_comments if one.author.login == BOT]
            texts += [one.body for one in theirs if one.in_reply_to is not None]
        for text in texts:
            mark = _MARK.search(text)
            yield mark[1] if mark else f"without a mark: {text[:60]}"
    for run in repo.check_runs:
        if run.name == "Hob":
            yield run.external_id.partition("#")[0] if run.status == "completed" else f"unfinished {run.id}"


def applied(exchange: Any) -> bool:
    """Whether a request changed something, whatever was answered."""
    if not exchange.is_write:
        return False
    return exchange.fault.startswith("apply_") or 200 <= exchange.status < 300


def trim(github: GitHubStandIn, most: int = 2_000) -> None:
    """Forgets old requests: it is not the stand-in whose memory is measured. Under the lock."""
    for kept in (github.requests, github.fetches, github.downloads):
        if len(kept) > 2 * most:
            del kept[:-most]
