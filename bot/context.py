"""What a handler is given: to read GitHub, to ask a model. It has no way to write."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

from bot import sandbox
from bot.agents.rerank import Reranking
from bot.checks import ruff
from bot.core import effect_history as past
from bot.core.chain import Chain
from bot.core.check_input import CheckedChange
from bot.core.code_analysis import Tools
from bot.core.code_search import Library
from bot.core.commands import Command
from bot.core.concurrency import nobody_waits
from bot.core.dashboard_issue import DashboardIssue
from bot.core.drafts import Draft
from bot.core.effect_history import PastRun
from bot.core.effects import Comment, Effect, Plan, PostReview, PullState, ReplyInThread, SetCheck
from bot.core.errors import OthersWait, UserError
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import RepoContext
from bot.core.findings import Finding
from bot.core.github_reader import GitHubReader
from bot.core.guidelines import Guidance, speaks
from bot.core.incremental_review import ReviewedHead
from bot.core.inference import Infer, PromptFile, ToolUse, Usage
from bot.core.knowledge import Beside, IndexedLibrary, Knowledge, nothing_beside
from bot.core.memory import Memory
from bot.core.recipes import Recipe, RecipeFiles, Recipes
from bot.core.refs import Permission, RepoRef, Sha
from bot.core.sandbox_types import SandboxUnusable
from bot.core.scan import ScanRecord
from bot.core.settings import Complaint
from bot.core.settings_merge import FILE, Layer, merge, settings_of
from bot.core.suite_runs import RunSuite
from bot.core.text import REDIRECTING, in_code, issue_link
from bot.core.work_budget import WorkBudget
from bot.github import hobyml, other_reviewers, recipes
from bot.knowledge.parsing.code_analysis import still_parses, symbols
from bot.patterns import wanted
from bot.prompting import load_chain, load_persona
from bot.prompting import recipes as bundled_texts


async def _lint(texts: Mapping[str, str]) -> Sequence[Finding] | None:
    """What a linter says of whole files; nothing of those that it does not know, None where it may not
    run."""
    try:
        return await ruff.run(CheckedChange((), texts), sandbox.run) or ()
    except SandboxUnusable:
        return None


GIVES_WAY = 300.0
"""Seconds after which work that gives way looks again whether nobody waits."""
MOST_TOLD = 10
"""Guidelines that a check run names."""
TOOLS = Tools(symbols=symbols, still_parses=still_parses, lint=_lint)
"""What agents need of the packages beside theirs."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A command, and whether the person who asked may give it here."""

    name: str
    help: str
    allowed: bool
    reads: bool = False
    """Whether it only answers."""
    code: bool = False
    """Whether it writes code, where `code.enabled` lets it."""


LookBack = Callable[[int, str], Awaitable[Plan]]
"""Reads at most so many merged pull requests that were not read before, and offers in the dashboard, in a
language, what all that were read suggest."""


async def no_past(_most: int, _language: str) -> Plan:
    """Where nothing is kept."""
    return Plan(reason="nothing is kept here")


def unnoted(_: ToolUse) -> None:
    """Where nothing is kept."""


def usual_budget() -> WorkBudget:
    """Where no configuration says another."""
    return WorkBudget(steps=40, tokens=400_000, seconds=3_600.0)


Deeds = Callable[[int], Awaitable[tuple[PastRun, ...]]]


async def no_deeds(_: int) -> tuple[PastRun, ...]:
    """Where nothing is kept."""
    return ()


JudgedChecks = Callable[[Sha], Awaitable[tuple[SetCheck, ...]]]


async def no_judgement(_: Sha) -> tuple[SetCheck, ...]:
    """Where nothing is kept."""
    return ()


Handled = Callable[[Collection[str], Collection[str]], Awaitable[frozenset[int]]]


async def none_handled(_handlers: Collection[str], _but: Collection[str]) -> frozenset[int]:
    """Where nothing is kept."""
    return frozenset()


def answer(event: CommentEvent, body: str) -> Effect:
    """A reply where the person spoke: under a line in its thread, elsewhere as a comment."""
    if isinstance(event, ReviewCommentEvent):
        return ReplyInThread(event.number, event.in_reply_to or event.comment_id, body)
    return Comment(event.number, body)


def makes_patches(load: Callable[[str], Chain], name: str) -> bool:
    """Whether there is a chain of this name whose answer is a patch."""
    try:
        chain = load(name)
    except UserError:
        return False
    return any(step.name == chain.answered_by and step.gives == "patch" for step in chain.steps)


@cache
def bundled_recipes() -> Mapping[str, Recipe]:
    """Those that come with Hob, and the operator's own. One that is wrong is left out."""
    found: dict[str, Recipe] = {}
    for name, text in bundled_texts().items():
        recipe, _ = recipes.read(name, text, {}, partial(makes_patches, load_chain))
        if recipe:
            found[name] = replace(recipe, bundled=True)
    return found


@dataclass(frozen=True, slots=True)
class Context:
    """For one event and one handler."""

    repo: RepoRef
    slug: str
    github: GitHubReader
    infer: Infer
    command: Command | None = None
    level: Permission = "none"
    """What whoever gave the command may do here, asked when the run began."""
    recipe: Recipe | None = None
    """The one that was asked for by its name."""
    offers: tuple[Offer, ...] = ()
    stored: tuple[Layer, ...] = ()
    """Stored settings that lie under `.github/hob.yml`."""
    posted: frozenset[str] = frozenset()
    """Fingerprints of the findings that Hob has already posted on this pull request."""
    withdrawn: frozenset[str] = frozenset()
    """Those of them that a person had it take back."""
    tools: Tools = field(default_factory=lambda: TOOLS)
    idle: bool = True
    """Whether no other run waits."""
    still_idle: Callable[[], Awaitable[bool]] = nobody_waits
    """The same, asked now."""
    earlier: ReviewedHead | None = None
    """The newest head of this pull request that was reviewed, without its texts."""
    pull: PullState = "active"
    """What people said about Hob's part in this pull request."""
    knowledge: Knowledge | None = None
    """None where `[knowledge] enabled` is off."""
    reviews: tuple[PostReview, ...] = ()
    """What Hob has posted on this pull request and not taken back, oldest first."""
    past_runs: tuple[PastRun, ...] = ()
    """All that Hob has done here, oldest first."""
    shadow: tuple[PastRun, ...] = ()
    """What it would have done here while its reviews were only kept."""
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository, what has expired left out."""
    deeds: Deeds = no_deeds
    """What Hob has done on another issue or pull request, oldest first."""
    drafts: tuple[Draft, ...] = ()
    """Comments that wait to be posted here, or in the whole repository where the event is about that; oldest
    first."""
    dashboard: DashboardIssue = field(default_factory=DashboardIssue)
    """The issue that Hob keeps in this repository."""
    scans: ScanRecord | None = None
    """What was read of code that no pull request touches."""
    look_back: LookBack = no_past
    beside: Beside = nothing_beside
    persona: Callable[[str], PromptFile] = load_persona
    """An agent's prompt file by its name."""
    chain: Callable[[str], Chain] = load_chain
    handled: Handled = none_handled
    """The issues on which a run of one of these routes (by what it is stored as) ended well, or is yet to
    end, but for those of which was said that they did nothing (by how that begins)."""
    write_gap: float = 1.0
    """Seconds between two writes to one installation."""
    budget: Callable[[], WorkBudget] = usual_budget
    """What one piece of long work may cost (`[code]` in hob.toml), from now on."""
    note_tool: Callable[[ToolUse], None] = unnoted
    """Told of each call of a tool."""
    suite: RunSuite | None = None
    """Runs the repository's tests in the sandbox; None where the operator did not opt it in."""
    judged: JudgedChecks = no_judgement
    """The check runs with a judgement that stand at a commit, of all pull requests, oldest first."""

    def give_way(self) -> None:
        """For work that nobody waits for: OthersWait while another run does."""
        if not self.idle:
            raise OthersWait("somebody waits for another run", GIVES_WAY)

    def searched(
        self, library: Library | None, spent: list[Usage], at: str = "", budget: WorkBudget | None = None
    ) -> Library | None:
        """The library at a commit, where a model's second look says which of the found files matter, while a
        host has time for that; `spent` and the budget are told what it took."""
        if not isinstance(library, IndexedLibrary):
            return library
        return Reranking(library, self.infer, at, spent, budget, self.still_idle)

    def link(self, number: int) -> str:
        """A reference to an issue or pull request of this repository that leaves no mark there."""
        host = REDIRECTING if self.github.site == "https://github.com" else ""
        return issue_link(self.repo.full_name, number, host)

    async def repository(self, ref: str = "", *, labels: bool = False) -> RepoContext:
        """Settings at `ref` (by default the default branch; for a pull request give its base), never from a
        head."""
        text, refused = await self.github.config_text(ref or self.repo.default_branch)
        return self.context_of(text, refused, await self.github.labels() if labels else ())

    def context_of(
        self, text: str | None, refused: tuple[Complaint, ...], labels: tuple[tuple[str, str], ...] = ()
    ) -> RepoContext:
        """With settings whose file (None: there is none) was read already."""
        said, complaints = hobyml.said(text)
        settings = settings_of(merge(self.stored, Layer(FILE, said)))
        return RepoContext(
            repo=self.repo, settings=settings, complaints=(*refused, *complaints), file=said, labels=labels
        )

    async def recipes(self, ref: str, name: str = "") -> Recipes:
        """Those of the base branch (at `ref`), and those that come with Hob; of one name alone, if that is
        given. Costs a call, and another for texts."""
        return self.recipes_of(await self.github.recipe_files(ref, name))

    def recipes_of(self, files: RecipeFiles) -> Recipes:
        taken = {one.name for one in self.offers}
        return recipes.read_all(files, taken, bundled_recipes(), self._makes_patches)

    def _makes_patches(self, name: str) -> bool:
        return makes_patches(self.chain, name)

    def in_shadow(self) -> "Context":
        """The same as if what was only kept had been posted, so that nothing is kept twice."""
        reviews = past.reviews(self.shadow)
        return replace(
            self,
            posted=self.posted | past.posted(reviews),
            reviews=(*self.reviews, *reviews),
            past_runs=(*self.past_runs, *self.shadow),
            earlier=past.earlier(self.shadow) or self.earlier,
        )

    def below(self, guidance: Guidance) -> tuple[Layer, ...]:
        """What other reviewers' settings say: it lies under all of Hob's own."""
        return tuple(
            Layer(path, other_reviewers.read(path, text)[0])
            for path, text in guidance.other_reviewers.items()
        )

    def guided(self, context: RepoContext, guidance: Guidance, changed: Collection[str]) -> RepoContext:
        """The context with the repository's guidelines; other reviewers' settings lie under all of Hob's
        own."""
        read = {path: other_reviewers.read(path, text) for path, text in guidance.other_reviewers.items()}
        notes = [note for _, note in read.values()]
        held = (one for one in guidance.guidelines if any(one.holds_for(path, wanted) for path in changed))
        if there := [in_code(one.path) for one in held]:
            more = f" and {len(there) - MOST_TOLD} more" if len(there) > MOST_TOLD else ""
            notes.append(f"Guidelines of the base: {', '.join(there[:MOST_TOLD])}{more}.")
        notes += [f"{in_code(path)} is a symlink and was not followed." for path in guidance.symlinks]
        named = context.settings.review.guidelines
        notes += [
            f"This pull request changes {in_code(path)}; what is on its base counts."
            for path in sorted(changed)
            if speaks(path, named)
        ]
        refused = self.recipes_of(guidance.recipes).complaints if guidance.recipes else ()
        return replace(
            context,
            complaints=(*context.complaints, *refused),
            settings=settings_of(merge((*self.below(guidance), *self.stored), Layer(FILE, context.file))),
            guidelines=tuple((one.path, one.text) for one in guidance.guidelines),
            notes=tuple(notes),
        )


@dataclass(frozen=True, slots=True)
class HobContext:
    """What a handler of scheduled work is given that is about no one repository."""

    write_shadow_reports: Callable[[float], Awaitable[str]]
    """Those of the weeks that were over at a time (epoch seconds) and have none yet; says in a line how
    many."""
    reconcile: Callable[[], Awaitable[str]]
    """Looks for deliveries and work that were missed; says in a line what was found."""
    look_at_access: Callable[[], Awaitable[str]]
    """Looks at what the App may read and what became of it; says in a line what changed."""


@dataclass(frozen=True, slots=True)
class Offboarding:
    """What a handler is given where repositories went away: nothing can be read there any more. Each is about
    the event's repositories and says in a line what was done."""

    forget_knowledge: Callable[[], Awaitable[str]]
    """Clones and indexes."""
    forget_repositories: Callable[[], Awaitable[str]]
    """That, what is under way for them, and the deliveries about them."""
    forget_account: Callable[[], Awaitable[str]]
    """That, and the settings that are stored for them and their owner."""
