"""What people ask Hob for while it is killed, and what the stand-in shows of each afterwards: every effect as
often as it should be there."""

from collections.abc import Callable
from typing import Any, Protocol

from bot.testing.github import GitHubStandIn
from bot.testing.github.issues import Issue
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeOllama
from tests.faults.test_steps_of_code import CONFIG, LINES, Asked, says
from tests.faults.ticking import CLOCK_TOWER
from tests.faults.tree import Tree
from tests.living import by_schema
from tests.runs.test_implement import TEA
from tests.tea import BROKEN, finding

BOT = "my-hob[bot]"
MANY = 40
"""Pull requests and issues of one repository, then the next is made."""
BUG = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}
Shows = dict[str, Any]
"""What there is, by its name: all counts and texts that must be the same each time."""

ANSWERED: Shows = {"labels": ["bug"], "comments": 1}
CODE: Shows = {"wrong": []}
EXPECTED: dict[str, Shows] = {
    "review": {"reviews": 1, "check runs": [("completed", "neutral")], "comments": 0, "on lines": 1},
    "triage": {"labels": ["bug"], "comments": 0},
    "question": ANSWERED,
    "memory": {**ANSWERED, "kept": 1},
    "fix": CODE,
    "implement": CODE,
    "knowledge": {"known": 1, "up to": True},
    "missed": {"labels": ["bug"], "comments": 0},
    "tick": {"again": True, "twice": [], "labels": ["bug"]},
}
"""Of each thing that is asked, once all is done."""


def answers(request: dict[str, Any]) -> Any:
    """Of the model."""
    wanted = str(request.get("format") or {})
    if "accepted" in wanted or "edits" in wanted or "steps" in wanted:
        return says(request)
    return by_schema(review={"findings": [finding()], "summary": "x"}, triage=BUG)(request)


class OneAsked(Protocol):
    """One thing that somebody wants."""

    def __call__(self) -> Shows: ...


class World:
    """People at the stand-in, and the Hob that they talk to."""

    def __init__(self, github: GitHubStandIn, ollama: FakeOllama, tree: Tree) -> None:
        self.github, self.ollama, self.tree = github, ollama, tree
        self.number = 0
        self._repo: Repository | None = None
        self._left = 0
        self._codes: dict[str, Repository] = {}
        self._delivered = 0
        self._failed: list[Any] = []

    def repository(self) -> Repository:
        if self._repo is None or self._left == 0:
            files = {"tea.py": "x = 1\n"}
            self._repo, self._left = self.github.repository(f"octo/tea-{self.number}", files=files), MANY
        self._left -= 1
        return self._repo

    def person(self, repo: Repository) -> str:
        """Of each no more than a handful of questions an hour are answered."""
        name = f"ann-{self.number}"
        repo.grant(name, "write")
        return name

    def send_again(self) -> None:
        """What nobody took, because the receiver was dead, with the same GUID: as GitHub's people do."""
        if not self.github.post.url:
            return
        new = self.github.deliveries[self._delivered :]
        self._delivered += len(new)
        waiting = [*self._failed, *new]
        self._failed = [one for one in waiting if not one.done.is_set()]
        for one in waiting:
            if one.done.is_set() and not one.ok:
                self.github.redeliver(one)

    def delivered(self) -> bool:
        """Whether all that happened has reached Hob, or nobody sends it."""
        return all(one.done.is_set() for one in self.github.deliveries[-20:]) and not self._failed

    def ask(self, what: str) -> OneAsked:
        self.number += 1
        asked: Callable[[], OneAsked] = getattr(self, f"ask_{what}")
        return asked()

    def ask_review(self) -> OneAsked:
        repo, number = self.repository(), self.number
        text = {"tea.py": BROKEN + f"# {number}\n"}
        pull = repo.open_pull_request(f"P{number}", text, author=self.person(repo), branch=f"b{number}")
        return lambda: {
            "reviews": len(pull.reviews),
            "check runs": [(one.status, one.conclusion) for one in pull.check_runs],
            "comments": len(said(pull)),
            "on lines": len([one for one in pull.review_comments if one.author.login == BOT]),
        }

    def ask_triage(self) -> OneAsked:
        repo = self.repository()
        issue = repo.open_issue(f"The pot leaks {self.number}", "It drips.", author=self.person(repo))
        return lambda: {"labels": labels(issue), "comments": len(said(issue))}

    def ask_question(self) -> OneAsked:
        repo = self.repository()
        who = self.person(repo)
        issue = repo.open_issue(f"Which tea {self.number}?", "Green or black?", author=who)
        issue.comment(who, "@my-hob What does tea.py do with x in the end?")
        return lambda: {"labels": labels(issue), "comments": len(said(issue))}

    def ask_memory(self) -> OneAsked:
        repo = self.repository()
        who, lesson = self.person(repo), f"Steep for {self.number} minutes."
        issue = repo.open_issue(f"How long {self.number}?", "So long.", author=who)
        issue.comment(who, f"@my-hob remember {lesson}")

        def shown() -> Shows:
            database = self.tree.connect()
            (kept,) = database.execute("SELECT count(*) FROM memory WHERE text = ?", [lesson]).fetchone()
            database.close()
            return {
                "labels": labels(issue),
                "comments": len(said(issue)),
                "kept": kept,
            }

        return shown

    def code(self, command: Any) -> OneAsked:
        if command not in self._codes:
            text = LINES if command == "fix" else TEA
            files = {".github/hob.yml": CONFIG, "tea.py": text}
            self._codes[command] = self.github.repository(f"octo/{command}", files=files)
            self._codes[command].grant("ann", "write")
        asked = Asked(self._codes[command], command, self.number)
        return lambda: {"wrong": asked.wrong(command)}

    def ask_fix(self) -> OneAsked:
        return self.code("fix")

    def ask_implement(self) -> OneAsked:
        return self.code("implement")

    def ask_knowledge(self) -> OneAsked:
        """A first push to a new repository, or one to a known one."""
        if self.number % 3 == 1 or self._repo is None:
            self._repo = self.github.repository(f"octo/shelf-{self.number}", files={"pot.py": "POT = 1\n"})
        repo, name = self._repo, f"steep_{self.number}"
        repo.push({f"{name}.py": f"def {name}(minutes):\n    return minutes\n"})

        def shown() -> Shows:
            from bot.knowledge.storage.index_stores import IndexStores

            kept = IndexStores(self.tree.data / "knowledge")
            if not kept.has(repo.id):
                return {"known": 0}
            index = kept.open(repo.id)
            try:
                return {
                    "known": len(index.defined([name])),
                    "up to": index.state("tip") == repo.git.resolve("main"),
                }
            finally:
                index.close()

        return shown

    def ask_missed(self) -> OneAsked:
        """Delivered to nobody; the next round of the reconciler is due at once."""
        url = self.github.post.url
        self.github.flush()
        self.github.send_webhooks_to("http://127.0.0.1:9/webhook", self.github.post.secret)
        asked = self.ask_triage()
        self.github.flush()
        self._delivered = len(self.github.deliveries)  # nobody sends it again
        self.github.send_webhooks_to(url, self.github.post.secret)
        self.github.clock_offset += 60.0
        database = self.tree.connect()
        done = "UPDATE runs SET delivery = delivery || '/' || id WHERE handler = 'reconcile'"
        database.execute(done)
        database.execute("UPDATE schedule SET due = 1 WHERE handler = 'reconcile'")
        database.close()
        return asked

    def ask_tick(self) -> OneAsked:
        """The next time that the clock strikes: whatever it has said it has said once."""
        if CLOCK_TOWER not in self._codes:
            repo = self.github.repository(f"octo/{CLOCK_TOWER}", files={"tea.py": "x = 1\n"})
            repo.open_issue("What time is it?", author="ann", labels=["bug"])
            self._codes[CLOCK_TOWER] = repo
        issue = self._codes[CLOCK_TOWER].issues[1]
        before = len(self.ticks())
        return lambda: {
            "again": len(self.ticks()) > before,
            "twice": [one for one in set(self.ticks()) if self.ticks().count(one) > 1],
            "labels": labels(issue),
        }

    def ticks(self) -> list[str]:
        return [one.splitlines()[0] for one in said(self._codes[CLOCK_TOWER].issues[1]) if "schedule:" in one]


def labels(issue: Issue) -> list[str]:
    return sorted(one.name for one in issue.labels)


def said(on: Issue | PullRequest) -> list[str]:
    """Comments of Hob's in the conversation."""
    return [one.body for one in on.comments if one.author.login == BOT]
