"""What people do on GitHub during a soak, and what each is to see of it. All by chance of a seed."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.testing.github import GitHubStandIn
from bot.testing.github.issues import CheckRun, Issue
from bot.testing.github.pulls import CodeHome, PullRequest
from bot.testing.github.repository import Repository
from tests.running import SLUG
from tests.tea import BROKEN, TEA

BOT = f"{SLUG}[bot]"
LOAD = {"loud": 60, "busy": 25, "steady": 10, "calm": 4, "quiet": 1}
"""Percent of all events, by account."""
QUIET = "quiet"
PEOPLE = ("ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal")
ASKED = (
    *("help", "ask why is the tea cold?", "memory", "related", "blockers", "catch-up"),
    *("remember we brew with fresh water", "forget 7", "was this reported before?", "nosuchcommand now"),
)
"""Commands that are answered by one comment, whatever they are given on and by whom."""
Seen = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`seen` and `moot` of an act."""

    seen: Seen
    moot: Seen | None = None


@dataclass(eq=False)
class Act:
    """One thing that somebody did. `deliveries`: (GUID, event, action) of what GitHub told of it. `seen`
    tells whether what it is to cause stands there; None where nothing is."""

    number: int
    kind: str
    account: str
    at: float
    deliveries: list[tuple[str, str, str]] = field(default_factory=list)
    seen: Seen | None = None
    moot: Seen | None = None
    """Tells whether nobody waits for it any more: closed, or pushed over."""
    seen_at: float = 0.0
    ends: tuple[str, ...] | None = None
    """How its runs ended, once all have: `state: summary or error`."""

    @property
    def seconds(self) -> float:
        """From the event to its effect."""
        return self.seen_at - self.at

    @property
    def settled(self) -> bool:
        """Its runs have ended, and what it is to cause is there, if anybody still waits for it."""

        if self.ends is None:
            return False
        return self.seen is None or bool(self.seen_at) or bool(self.moot and self.moot())


def answers(on: Issue) -> int:
    """Comments of Hob's in the conversation."""
    return sum(one.author.login == BOT for one in on.comments)


def _was_closed(issue: Issue) -> bool:
    return issue.state == "closed" or any(entry.action == "closed" for entry in issue.history)


def judged(repo: CodeHome, sha: str) -> bool:
    return any(_is_judgement(one) and one.head_sha == sha for one in reversed(repo.check_runs))


def _is_judgement(run: CheckRun) -> bool:
    return run.name == "Hob" and run.status == "completed"


class People:
    """Acts on the repositories of all accounts. One thread calls `act`."""

    def __init__(self, github: GitHubStandIn, chance: random.Random) -> None:
        self.github, self._chance = github, chance
        self.acts: list[Act] = []
        self.waiting: dict[str, list[Act]] = {account: [] for account in LOAD}
        """Acts whose effect was not seen yet."""
        self.asked: Counter[tuple[str, int]] = Counter()
        """Commands that want one comment, by repository and number."""
        self.repos: dict[str, Repository] = {}
        for account in LOAD:
            github.install_app(account, slug=SLUG)
            private = account in ("busy", QUIET)
            files = {"tea.py": TEA, "docs/brew.md": "# Brew\n\nWith hot water.\n"}
            repo = github.repository(f"{account}/tea", private=private, files=files)
            for login in PEOPLE[:6]:
                repo.grant(login, "write")
            for login in PEOPLE[6:]:
                repo.grant(login, "read")
            self.repos[account] = repo
        self._mixed: dict[Callable[[Repository], Wanted | None], int] = {
            self._opens_issue: 14,
            self._asks_on_issue: 12,
            self._talks: 18,
            self._edits: 6,
            self._closes: 8,
            self._labels: 6,
            self._opens_pull: 9,
            self._pushes_to_pull: 8,
            self._asks_on_pull: 5,
            self._reviews: 5,
            self._says_on_line: 4,
            self._pushes: 5,
        }
        self._plain = (self._opens_issue, self._asks_on_issue, self._opens_pull)

    def act(self, account: str) -> Act:
        """Somebody does something. In the quiet account only what has an effect, so that there is much to
        measure."""
        repo, chance = self.repos[account], self._chance
        kinds = list(self._mixed)
        if account == QUIET:
            chosen = chance.choice(self._plain)
        else:
            chosen = chance.choices(kinds, list(self._mixed.values()))[0]
        with self.github.changed:
            told = len(self.github.deliveries)
            act = Act(len(self.acts) + 1, chosen.__name__.strip("_"), account, time.monotonic())
            wanted = chosen(repo)
            if wanted is not None:
                act.seen, act.moot = wanted.seen, wanted.moot
            act.deliveries = [
                (one.guid, one.event, one.action or "") for one in self.github.deliveries[told:]
            ]
            self.acts.append(act)
            if act.seen is not None:
                self.waiting[account].append(act)
        return act

    def look(self, accounts: Iterable[str] = LOAD) -> None:
        """Notes which effects have come to be. Under the lock."""
        now = time.monotonic()
        for account in accounts:
            waiting = self.waiting[account]
            for act in waiting:
                if act.seen and act.seen():
                    act.seen_at = now
            if any(act.seen_at for act in waiting):
                self.waiting[account] = [act for act in waiting if not act.seen_at]

    def observe(self, exchange: Any) -> None:
        """An observer of the stand-in: after each write there may be something to see."""
        if exchange.is_write and exchange.path.startswith("/repos/"):
            account = exchange.path.split("/", 3)[2]
            if account in self.waiting:
                self.look((account,))

    def _person(self) -> str:
        return self._chance.choice(PEOPLE)

    def _issue(self, repo: Repository) -> Issue | None:
        """One of the newest open ones."""
        found = [one for one in repo.issues.values() if one.event == "issues" and one.state == "open"]
        return self._chance.choice(found[-40:]) if found else None

    def _pull(self, repo: Repository) -> PullRequest | None:
        found = [one for one in repo.pulls if one.state == "open"]
        return self._chance.choice(found[-20:]) if found else None

    def _opens_issue(self, repo: Repository) -> Wanted | None:
        n = len(repo.issues) + 1
        body = f'`tea.py` fails with cup {n}.\n\nTraceback:\n  File "tea.py", line 2, in brew\n'
        issue = repo.open_issue(f"Cold tea in cup {n}", body, author=self._person())
        return Wanted(lambda: "bug" in issue.label_names, lambda: _was_closed(issue))

    def _asks(self, on: Issue, where: str = "") -> Wanted | None:
        key = (on.repo.full_name, on.number)
        self.asked[key] += 1
        wanted = self.asked[key]
        command = self._chance.choice(ASKED)
        on.comment(self._person(), f"{where}@{SLUG} {command}")
        return Wanted(lambda: answers(on) >= wanted)

    def _asks_on_issue(self, repo: Repository) -> Wanted | None:
        issue = self._issue(repo)
        return self._asks(issue) if issue else self._opens_issue(repo)

    def _asks_on_pull(self, repo: Repository) -> Wanted | None:
        pull = self._pull(repo)
        if pull is None:
            return self._opens_pull(repo)
        if self._chance.random() < 0.3:
            pull.comment(self._person(), f"@{SLUG} review")
            return None
        return self._asks(pull)

    def _talks(self, repo: Repository) -> Wanted | None:
        on = self._chance.choice([self._issue(repo), self._pull(repo)])
        if on is None:
            return self._opens_issue(repo)
        on.comment(self._person(), "I see that too, with green tea.")
        return None

    def _edits(self, repo: Repository) -> Wanted | None:
        on = self._chance.choice([self._issue(repo), self._pull(repo)])
        if on is None:
            return self._opens_issue(repo)
        on.edit(on.author.login, body=f"{on.body}\n\nIt is {self._chance.randint(1, 99)} degrees warm.")
        return None

    def _closes(self, repo: Repository) -> Wanted | None:
        on = self._chance.choice([self._issue(repo), self._pull(repo)])
        if on is None:
            return self._opens_issue(repo)
        if self._chance.random() < 0.2:
            on.close("ann")
            on.reopen("ann")
            return None
        on.close("ann")
        return None

    def _labels(self, repo: Repository) -> Wanted | None:
        on = self._issue(repo)
        if on is None:
            return self._opens_issue(repo)
        if "question" in on.label_names:
            on.remove_label("ann", "question")
        else:
            on.add_label("ann", "question")
        return None

    def _opens_pull(self, repo: Repository) -> Wanted | None:
        n = len(repo.issues) + 1
        fork = not repo.private and self._chance.random() < 0.2
        pull = repo.open_pull_request(
            f"Brew {n}", {"tea.py": f"{BROKEN}# {n}\n"}, author=self._person(), branch=f"brew-{n}", fork=fork
        )
        return self._judgement(pull)

    def _pushes_to_pull(self, repo: Repository) -> Wanted | None:
        pull = self._pull(repo)
        if pull is None:
            return self._opens_pull(repo)
        more = self._chance.randint(1, 10**6)
        if self._chance.random() < 0.2:
            pull.force_push({"tea.py": f"{BROKEN}# anew {more}\n"})
        else:
            pull.push({"tea.py": f"{BROKEN}# more {more}\n"})
        return self._judgement(pull)

    def _judgement(self, pull: PullRequest) -> Wanted:
        """Of the head as it is now."""
        repo, sha = pull.code, pull.head_sha
        return Wanted(lambda: judged(repo, sha), lambda: pull.head_sha != sha or _was_closed(pull))

    def _reviews(self, repo: Repository) -> Wanted | None:
        pull = self._pull(repo)
        if pull is None:
            return self._opens_pull(repo)
        pull.review(self._person(), "Looks warm.", self._chance.choice(("COMMENTED", "APPROVED")))
        return None

    def _says_on_line(self, repo: Repository) -> Wanted | None:
        pull = self._pull(repo)
        if pull is None:
            return self._opens_pull(repo)
        who = self._person()
        theirs = [one for one in pull.review_comments if one.author.login == BOT and one.in_reply_to is None]
        if theirs and self._chance.random() < 0.5:
            theirs[-1].reply(who, "I think so too.")
            return None
        first = pull.review_comment(who, "tea.py", 2, f"@{SLUG} ask is this right?")
        return Wanted(
            lambda: any(
                one.author.login == BOT and one.in_reply_to == first.id for one in pull.review_comments
            )
        )

    def _pushes(self, repo: Repository) -> Wanted | None:
        """To the default branch, whose index is made anew."""
        n = self._chance.randint(1, 40)
        repo.push({f"src/cup_{n}.py": f"def cup_{n}(water):\n    return water + {self._chance.random()}\n"})
        return None
