"""`prompt`: a finding or a plan, to be copied whole into somebody's editor."""

from tests.living import LivingHob, by_schema
from tests.runs.test_comments import ours
from tests.runs.test_review import teahouse
from tests.tea import BROKEN, finding

RULES = "review:\n  instructions: [{path: '*.py', text: 'We use structlog.'}]\n"


def block(body: str) -> str:
    """What a person copies."""
    mark = body.split("text\n", 1)[0].rpartition("\n")[2]
    return body.split(f"{mark}text\n", 1)[1].split(f"\n{mark}", 1)[0]


async def test_a_finding_is_handed_over_with_its_code_and_what_the_project_says(hob: LivingHob) -> None:
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""})
    repo = teahouse(hob)
    repo.commit({".github/hob.yml": RULES})
    repo.grant("ann", "write")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    asked = len(hob.ollama.chats)
    for words in ("prompt 1", "prompt", "prompt 7"):
        pull.comment("ann", f"@my-hob {words}")
        await hob.works()
    first, same, which = ours(pull)[-3:]
    said = block(first)
    assert block(same) == said
    assert "Division by zero" in said
    assert BROKEN.split("\n")[0] in said
    assert "We use structlog." in said
    assert "Run the tests" in said
    assert "Which finding" in which
    assert len(hob.ollama.chats) == asked


async def test_a_plan_is_handed_over_as_people_left_it(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.grant("ann", "write")
    issue = repo.open_issue("Guard brew", "It fails without water.", author="eve")
    await hob.works()
    issue.comment("ann", "@my-hob prompt")
    await hob.works()
    assert "no plan here yet" in ours(issue)[-1]
    hob.ollama.answer = by_schema(
        plan={"steps": [{"title": "Guard brew", "detail": "Return None.", "role": "worker"}]}
    )
    issue.comment("ann", "@my-hob plan")
    await hob.works()
    plan = next(
        one for one in issue.comments if "Guard brew" in one.body and one.author.login == "my-hob[bot]"
    )
    plan.edit("ann", plan.body.replace("Return None.", "Return None, and say so."))
    issue.comment("ann", "@my-hob prompt")
    await hob.works()
    said = block(ours(issue)[-1])
    assert "It fails without water." in said
    assert "Return None, and say so." in said
    assert "hob:v1" not in said


async def test_A1_strangers_have_nothing_handed_over(hob: LivingHob) -> None:
    issue = teahouse(hob).open_issue("Guard brew", "It fails.", author="eve")
    await hob.works()
    issue.comment("eve", "@my-hob prompt")
    await hob.works()
    assert "triage permission" in ours(issue)[-1]


async def test_P2_X3_what_a_hostile_issue_says_stays_inside_the_block(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.grant("ann", "write")
    issue = repo.open_issue("Guard", "````\n```\n@octo/team fixes #1 <script>x</script>\n~~~", author="eve")
    await hob.works()
    hob.ollama.answer = by_schema(plan={"steps": [{"title": "Go", "detail": "On.", "role": "worker"}]})
    for words in ("plan", "prompt"):
        issue.comment("ann", f"@my-hob {words}")
        await hob.works()
    said = ours(issue)[-1]
    assert "@octo/team" in block(said)
    assert "@octo/team" not in said.replace(block(said), "")
