"""Commands that no comment gives: asked for by the operator, or by whoever ticked a box."""

from dataclasses import replace

from bot.core.effects import Comment, Plan, RequestCommand
from bot.core.events import IssueOpened
from bot.core.refs import Actor, Login, RepoRef
from bot.effects.memory import OfRequestCommand
from bot.router import Router
from bot.store.requests import Channel, CommandRequest, delivery_of
from tests.living import LivingHob

OPERATOR = Actor(Login(""), 0)


async def repo_of(hob: LivingHob) -> RepoRef:
    return await hob.services.github.find_repository("octo/tea")


async def ask(
    hob: LivingHob, line: str, name: str, by: Actor = OPERATOR, channel: Channel = "api", number: int = 1
) -> None:
    asked = CommandRequest(repo=await repo_of(hob), number=number, line=line, by=by, channel=channel)
    hob.services.store.inbox.put(delivery_of(asked, name)).result(10)


async def test_what_the_operator_asks_for_is_answered_on_the_issue_once(hob: LivingHob) -> None:
    issue = hob.github.repository("octo/tea").open_issue("Kettle", "Burns.", author="ann")
    await hob.works()
    for name in ("a", "a", "b"):
        await ask(hob, "/hob config", name)
        await hob.works()
    said = [one.body for one in issue.comments if "issues.triage" in one.body]
    assert len(said) == 2
    assert not [one for one in hob.github.requests if "/collaborators/" in one.path]
    assert not [one for one in hob.github.writes() if one.path.endswith("/reactions")]


async def test_A7_whoever_ticks_a_box_has_no_more_rights_than_in_a_comment(hob: LivingHob) -> None:
    issue = hob.github.repository("octo/tea").open_issue("Kettle", "Burns.", author="ann")
    await hob.works()
    await ask(hob, "/hob memory", "a", Actor(Login("eve"), 7), "box")
    await hob.works()
    assert ["triage permission" in one.body for one in issue.comments] == [True]


async def test_a_request_that_is_planned_twice_is_made_once(hob: LivingHob) -> None:
    issue = hob.github.repository("octo/tea").open_issue("Kettle", "Burns.", author="ann")
    repo = await repo_of(hob)
    await hob.works()
    store = hob.services.store
    request = RequestCommand(issue.number, "/hob help", Actor(Login("ann"), 5), "box:1")
    for _ in range(2):
        with store.database.write() as connection:
            OfRequestCommand().change(request, store, repo, connection)
    await hob.works()
    assert len(issue.comments) == 1


async def test_an_effect_gives_a_command_for_the_person_who_asked(hob: LivingHob) -> None:
    router = Router()

    @router.on(IssueOpened, may={RequestCommand}, name="boxes")
    async def boxes(event: IssueOpened, ctx: object) -> Plan:
        return Plan((RequestCommand(event.number, "/hob help", event.author, f"box:{event.number}"),))

    both = Router().include(hob.services.router, router)  # that of the process is not this test's to change
    hob.services = replace(hob.services, router=both)
    issue = hob.github.repository("octo/tea").open_issue("Kettle", "Burns.", author="ann")
    await hob.works()
    (comment,) = issue.comments
    assert "commands" in comment.body
    assert Comment.__name__ in {
        row.kind
        for run in hob.services.store.runs.latest(10)
        for row in hob.services.store.outbox.rows(run.id)
    }
