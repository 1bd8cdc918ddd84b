"""Which handler answers which event, and what it may cause.

`@router.on(Kind, name="…", may={…})`, `@router.command("name", help="…", may={…})` and, for work that no
delivery asks for, `@router.every("night", name="…", may={…})` are the whole of it: help, documentation and
the manifest's test are made from what was declared here.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bot.core.commands import Command, parse_commands
from bot.core.due_times import Every
from bot.core.effects import Comment, EditComment, Effect, Plan, ReplyInThread
from bot.core.events import CommentEvent, Event, Priority

Handler = Callable[[Any, Any], Awaitable[Plan]]
"""Of an event and a `bot.context.Context`; for an `AccessEvent` a `bot.context.Offboarding`, for a `HobDue` a
`bot.context.HobContext`."""
Per = Literal["repository", "hob"]
"""Where scheduled work is done: in each repository that Hob works for, or once for all."""
Who = Literal["anyone", "author", "triage", "code"]
"""Who may give a command: anyone who can comment; the author of the issue or pull request, and triage
permission and above; these alone; those whom `code.allow` names."""
Place = Literal["anywhere", "issues", "pull requests"]
"""Where a command is of use."""
ANSWERS: frozenset[type[Effect]] = frozenset({Comment, ReplyInThread, EditComment})
"""Words of Hob's own, and nothing else."""


def always(_event: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is what people read; `stored_as` is in the rows of runs, in the ids of RQ jobs and in the keys
    by which an effect is known to have happened. Once released it never changes, wherever the handler's file
    moves: under another one everything would be posted a second time."""

    name: str
    stored_as: str
    handler: Handler
    may: frozenset[type[Effect]]
    priority: Priority
    kinds: tuple[type[Event], ...] = ()
    newest_only: bool = False
    """A newer event of the same pull request supersedes what is queued or running."""
    coalesce: tuple[type[Event], ...] = ()
    """Kinds that wait a few seconds for more of the same."""
    looks_again: tuple[type[Event], ...] = ()
    """Kinds that only ask how things stand: a run that waits does for them, and none under way ends."""
    whole_repository: bool = False
    """About the repository as it is when the run starts: one run that waits does for all events, and what is
    done about a pull request or issue does not wait for it."""
    when: Callable[[Any], bool] = always
    """Of the events of its kinds, those that it answers, by what they say themselves."""
    command: str | None = None
    help: str = ""
    who: Who = "anyone"
    place: Place = "anywhere"
    """Elsewhere its command only says that it is of no use there."""
    one_at_a_time: bool = False
    """On one issue or pull request a run waits for the one before, however many comments ask."""
    every: Every | Callable[[Any], Every] | None = None
    """When it is due without anybody asking; None for what answers deliveries."""
    per: Per = "repository"

    @property
    def reads(self) -> bool:
        """Whether its command only answers, and so may be given on behalf of whoever says so in other words.
        What `code.allow` guards never is."""
        return self.command is not None and self.may <= ANSWERS and self.who != "code"

    @property
    def hears_people(self) -> bool:
        """Whether it answers comments, with a command or without."""
        return self.command is not None or any(issubclass(kind, CommentEvent) for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that answers an event, and the command that chose it, if one did."""

    route: Route
    command: Command | None = None


class Router:
    """A table of routes; composed by `include`."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def on(
        self,
        *kinds: type[Event],
        may: Iterable[type[Effect]],
        priority: Priority = "default",
        newest_only: bool = False,
        coalesce: Iterable[type[Event]] = (),
        looks_again: Iterable[type[Event]] = (),
        whole_repository: bool = False,
        when: Callable[[Any], bool] = always,
        name: str,
        stored_as: str = "",
    ) -> Callable[[Handler], Handler]:
        """Registers a handler for kinds of events. `stored_as`: where the route had another name once."""

        def register(handler: Handler) -> Handler:
            self._add(
                Route(
                    name=name,
                    stored_as=stored_as or name,
                    handler=handler,
                    may=frozenset(may),
                    priority=priority,
                    kinds=kinds,
                    newest_only=newest_only,
                    coalesce=tuple(coalesce),
                    looks_again=tuple(looks_again),
                    whole_repository=whole_repository,
                    when=when,
                )
            )
            return handler

        return register

    def command(
        self,
        name: str,
        *,
        help: str,  # noqa: A002  the word that people look for
        may: Iterable[type[Effect]],
        who: Who = "anyone",
        place: Place = "anywhere",
        one_at_a_time: bool = False,
        stored_as: str = "",
    ) -> Callable[[Handler], Handler]:
        """Registers a handler for `@slug name` in comments, as the route `@name`. A person waits: its runs go
        first."""

        def register(handler: Handler) -> Handler:
            self._add(
                Route(
                    name=f"@{name}",
                    stored_as=stored_as or f"@{name}",
                    handler=handler,
                    may=frozenset(may),
                    priority="high",
                    command=name,
                    help=help,
                    who=who,
                    place=place,
                    one_at_a_time=one_at_a_time,
                )
            )
            return handler

        return register

    def every(
        self,
        every: Every | Callable[[Any], Every],
        *,
        may: Iterable[type[Effect]],
        name: str,
        per: Per = "repository",
        priority: Priority = "low",
        stored_as: str = "",
    ) -> Callable[[Handler], Handler]:
        """Registers a handler of `RepositoryDue` (or, per `hob`, of `HobDue`) for each `"night"`, each
        `"week"`, or every so many seconds; a function takes that from the `bot.config.Config`. What falls
        due while Hob is down is done once; what falls due while it still goes on, not at all."""
        if not callable(every) and not isinstance(every, str) and every < 1:
            raise ValueError(f"{name} is due every {every} seconds; one is the least")
        if per == "hob" and (effects := list(may)):
            raise ValueError(f"{name} is about no repository, where could it {effects[0].__name__}?")

        def register(handler: Handler) -> Handler:
            self._add(
                Route(
                    name=name,
                    stored_as=stored_as or name,
                    handler=handler,
                    may=frozenset(may),
                    priority=priority,
                    every=every,
                    per=per,
                )
            )
            return handler

        return register

    def include(self, *routers: "Router") -> "Router":
        """Takes over the routes of other routers, in order."""
        for router in routers:
            for route in router.routes:
                self._add(route)
        return self

    def _add(self, route: Route) -> None:
        mine = {route.name, route.stored_as}
        if taken := next((other for other in self.routes if mine & {other.name, other.stored_as}), None):
            raise ValueError(f"two routes are named {route.name} (the other is stored as {taken.stored_as})")
        self.routes.append(route)

    @property
    def commands(self) -> dict[str, Route]:
        return {route.command: route for route in self.routes if route.command}

    def stored(self, name: str) -> Route | None:
        """The route that a run's row names, if this version still has it."""
        return next((route for route in self.routes if route.stored_as == name), None)

    def match(self, event: Event, slug: str) -> list[Match]:
        """The routes that answer an event; for a comment, those of the commands that it gives, or where it
        gives none, those for its kind."""
        heard = (route for route in self.routes if isinstance(event, route.kinds))
        matches = [Match(route) for route in heard if route.when(event)]
        if not isinstance(event, CommentEvent):
            return matches
        return (self._commanded(event, slug) or matches) if _may_speak(event) else []

    def _commanded(self, event: CommentEvent, slug: str) -> list[Match]:
        """Who gives a command says nothing else by it."""
        matches: list[Match] = []
        known = self.commands
        for command in parse_commands(event.body, slug, event.previous_body, known=frozenset(known)):
            route = known.get(command.name) or known.get("help")
            if route and all(match.route is not route for match in matches):
                matches.append(Match(route, command))
        return matches


def _may_speak(event: CommentEvent) -> bool:
    """Bots are not listened to, this one included; nor is whoever edits another person's comment. What a
    person wrote through an App (a client on a phone, an editor) is the person's: `app_id` changes nothing."""
    if event.author.is_bot or event.sender.is_bot:
        return False
    same = (event.sender.id, event.sender.login) == (event.author.id, event.author.login)
    return event.previous_body is None or same
