"""The App as app.yml asks for it may write no code: each command that would says so in words."""

from bot.core.effects import PushCommit
from bot.proposals import NOT_GRANTED
from handlers import router
from tests.living import LivingHob
from tests.runs.test_comments import ours
from tests.runs.test_patches import NEW_TEST, edits, opened

ARGUMENTS = {"fix": "all", "recipe": "types"}


async def test_every_command_that_writes_code_says_what_it_lacks_and_pushes_nothing(hob: LivingHob) -> None:
    pull = opened(hob, "code: {enabled: true}\nissues: {triage: false}\n", granted=False)
    issue = pull.code.open_issue("Brew", "`tea.py` is cold.", author="ann")
    hob.ollama.answer = edits(NEW_TEST)
    await hob.works()
    names = [name for name, route in router.commands.items() if PushCommit in route.may]
    assert {"fix", "tests", "implement", "recipe"} <= set(names)
    for name in names:
        about = issue if router.commands[name].place == "issues" else pull
        before = len(ours(about))
        about.comment("ann", f"@my-hob {name} {ARGUMENTS.get(name, '')}".strip())
        await hob.works()
        said = ours(about)[before:]
        assert said, name
        if name != "fix":  # which may have nothing to mend here, or gives a suggestion
            assert NOT_GRANTED in said[-1], name
    assert [one for one in hob.github.writes() if "/git/" in one.path] == []
