"""What a family says of each of its effects: the token permission that it needs, how its texts are made
harmless, how it is sent, how it is found again after a crash, and how it is undone or why it cannot be."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from bot.core.effects import Effect
from bot.core.errors import Ambiguous, GitHubError, Gone
from bot.core.facts import UndoFacts
from bot.core.refs import RepoRef, Sha
from bot.effects.texts import Texts
from bot.github.api import Api, Params
from bot.github.idempotency_marker import IdempotencyMarker

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.github.client import Job
    from bot.store import Store

CAP = 10_000
"""Items that are looked through; with more the question stays open."""
_REPO = "/repos/{owner}/{repo}"
E = TypeVar("E", bound=Effect)


@dataclass(frozen=True, slots=True)
class Applied:
    """What stands on GitHub: where people see it ("" where it has no page), and its id (0 for labels)."""

    url: str = ""
    github_id: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """An effect, and why it is not: a sentence or two for people."""

    effect: Effect
    why: str

    @property
    def kind(self) -> str:
        return type(self.effect).__name__


@dataclass(frozen=True, slots=True)
class Undone:
    """The effects that take another back, what they take back, and what stays, in words."""

    effects: Sequence[Effect] = ()
    done: str = ""
    stays: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The head that an effect is for, and the branch against which it was judged ("": any): void once the
    pull request has moved on."""

    head: Sha
    base: str = ""


def applied(answer: Any) -> Applied:
    """Of an object that GitHub gives; `Ambiguous` when it is none."""
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
        raise Ambiguous(200, "the answer does not say what was made")
    return Applied(str(answer.get("html_url") or ""), answer["id"])


@dataclass(frozen=True, slots=True)
class Destination:
    """The repository to which an effect goes. `key` is hexadecimal and the effect's own; `marker` makes the
    mark by which it is found again. Paths are below `/repos/{owner}/{repo}`. Raises what `Api` raises."""

    api: Api
    repo: RepoRef
    key: str
    marker: IdempotencyMarker

    async def post(self, path: str, body: dict[str, Any], **names: str | int) -> Any:
        return await self.api.post(_REPO + path, body, self._params(names))

    async def patch(self, path: str, body: dict[str, Any], **names: str | int) -> Any:
        return await self.api.patch(_REPO + path, body, self._params(names))

    async def put(self, path: str, body: dict[str, Any], **names: str | int) -> Any:
        return await self.api.put(_REPO + path, body, self._params(names))

    async def delete(self, path: str, **names: str | int) -> None:
        """What is gone is as it should be."""
        try:
            await self.api.delete(_REPO + path, self._params(names))
        except Gone as gone:
            if gone.status != 404:
                raise

    async def mutate(self, document: str, **variables: str) -> None:
        await self.api.graphql(document, variables)

    async def get(self, path: str, **names: str | int) -> Any:
        return await self.api.get(_REPO + path, self._params(names))

    async def listed(
        self, path: str, items: str | None = None, /, **names: str | int
    ) -> list[dict[str, Any]]:
        """`Ambiguous` when there is more than can be looked through."""
        found = await self.api.get_all(_REPO + path, self._params(names), cap=CAP, key=items)
        if len(found) >= CAP:
            raise Ambiguous(200, "too much to look through")
        return [one for one in found if isinstance(one, dict)]

    async def marked(self, path: str, **names: str | int) -> Applied | None:
        """The newest in a list that our App made and that bears the mark."""
        found = reversed(await self.listed(path, **names))
        one = next((one for one in found if self.marker.made(one, self.key)), None)
        return applied(one) if one else None

    def signed(self, body: str) -> str:
        return self.marker.signed(body, self.key)

    def page(self, number: int) -> str:
        """An issue's or a pull request's."""
        return f"{self.api.site}/{self.repo.full_name}/issues/{number}"

    def _params(self, names: dict[str, str | int]) -> Params:
        return {"owner": self.repo.owner, "repo": self.repo.name, **names}


class Duties(ABC, Generic[E]):
    """Of one kind of effect. What is no `abstractmethod` holds where a family says nothing else."""

    kind: type[E]
    told_by: ClassVar[Literal["", "itself", "check"]] = ""
    """How whoever asked hears that it was refused: not at all (`itself`), by the check run of the same plan
    (`check`), else by the next best way."""
    judges: ClassVar[bool] = False
    """Whether it judges a head: what was refused comes again with the next push."""
    builds_on_before: ClassVar[bool] = False
    """Whether two runs with it must not overlap on one pull request."""
    carries: ClassVar[bool] = False
    """Whether what comes after it in a plan is void without it: a pull request without its branch."""
    undone_by: ClassVar[frozenset[type[Effect]]] = frozenset()
    """All kinds that `undone` may give."""
    prose: ClassVar[tuple[str, ...]] = ()
    lines: ClassVar[Mapping[str, int]] = {}
    """Fields that people will read: Markdown, and single lines in so many characters."""
    stays: ClassVar[str]
    """Why it cannot be undone, where nothing else is said of that."""

    def harmless(self, effect: E, texts: Texts) -> E:
        """The same with every text that people will read made harmless."""
        clean: dict[str, Any] = {name: texts.prose(getattr(effect, name)) for name in self.prose}
        clean |= {name: texts.line(getattr(effect, name), most) for name, most in self.lines.items()}
        return replace(effect, **clean)

    def undone(self, effect: E, github_id: int, facts: UndoFacts) -> Undone:
        return Undone(stays=self.stays)

    def meant(self, effect: E) -> str:
        """Its part of the key in the outbox, beside repository, target, head and place in the plan."""
        return self.kind.__name__

    def judged(self, effect: E) -> Judged | None:
        """What must still hold when it is sent; None: nothing."""
        return None

    def said(self, effect: E) -> Sequence[str]:
        """What nobody has read where it is refused."""
        return ()

    def remedy(self, effect: E, error: Exception) -> str:
        """What to do about a refusal; "" where its kind says that."""
        return ""

    def tells(self, effect: E) -> bool:
        """Whether `telling` says of what was refused before it, so that it is sent where that `carries`."""
        return False

    def telling(self, effect: E, refused: Sequence[Refused]) -> E:
        """The effect as it tells of what was refused before it in the same plan."""
        return effect


class OnGitHub(Duties[E]):
    """`send` writes once and never retries. When it raises `Ambiguous`, `find` tells whether it happened."""

    permissions: ClassVar[tuple[str, ...]]

    def needs(self, effect: E) -> dict[str, str]:
        """The token permissions for sending, finding, mending and completing it.

        https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
        """
        return dict.fromkeys(self.permissions, "write")

    def destination(
        self, effect: E, job: "Job", repo: RepoRef, marker: IdempotencyMarker, key: str = ""
    ) -> Destination:
        """`key` is empty for what is no row of the outbox and needs no mark."""
        return Destination(job.api(self.needs(effect)), repo, key, marker)

    @abstractmethod
    async def send(self, effect: E, to: Destination) -> Applied: ...

    @abstractmethod
    async def find(self, effect: E, to: Destination) -> Applied | None:
        """As it stands on GitHub; None when it is certainly not there. Makes nothing."""

    async def completed(self, effect: E, to: Destination, found: Applied) -> Applied:
        """What was found, with all that it lacks still: it takes several calls."""
        return found

    async def mended(self, effect: E, to: Destination, refusal: GitHubError) -> E | None:
        """The same, as GitHub will take it; None where what it refused stays so."""
        return None


class Changing(OnGitHub[E]):
    """Of what changes or takes away what is there: done twice it is done once."""

    async def find(self, effect: E, to: Destination) -> Applied | None:
        return None  # nobody need look: it is sent again


class InMemory(Duties[E]):
    """Of what changes Hob's own database: nobody need look. Its texts are on no page; what memory tells goes
    through a reply."""

    @abstractmethod
    def change(self, effect: E, store: "Store", repo: RepoRef, within: "Connection") -> None:
        """`within` the transaction that marks the row as done; it may raise `UserError`."""
