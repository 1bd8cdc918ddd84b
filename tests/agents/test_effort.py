"""Quick, deep and for security alone: what is asked, and what is said of it."""

from typing import Any

from bot.agents import review
from bot.core.effects import PostReview, SetCheck
from bot.core.facts import PullRequestFacts
from bot.core.inference import Prompt
from bot.core.settings import RepoSettings, ReviewSettings
from tests.agents.facts import Model, pull_request
from tests.tea import finding

BIG = "".join(f"value_{n} = {n} / 0  # {'x' * 80}\n" for n in range(90))
"""A prompt's worth."""
FILES = {f"part{n}.py": BIG for n in range(5)}


def named(model: Model) -> list[str]:
    return [prompt.name for prompt in model.prompts]


async def outcome(facts: PullRequestFacts, model: Model) -> tuple[list[str], SetCheck]:
    """The titles of the findings that are posted, and the check run."""
    plan = await review.plan(facts, model)
    (check,) = [effect for effect in plan.effects if isinstance(effect, SetCheck)]
    posted = [one for effect in plan.effects if isinstance(effect, PostReview) for one in effect.comments]
    return [one.body.partition(": ")[2].partition("\n")[0] for one in posted], check


def finds(*where: str, holes: tuple[str, ...] = ()) -> Model:
    """In each part the first line, where it is one of these; `holes` when asked about security."""

    def answer(prompt: Prompt[Any]) -> dict[str, Any]:
        paths = holes if prompt.name == "security" else where
        shown = [one.name for one in prompt.passages if one.name in paths]
        some = [
            finding(path=path, quote=BIG.split("\n")[0], title=f"{prompt.name} in {path}") for path in shown
        ]
        return {"findings": some, "summary": ""}

    return Model(answer)


async def test_a_quick_reading_asks_about_the_riskiest_parts_and_says_what_it_left() -> None:
    files = {**FILES, "auth/login.py": BIG, "docs/guide.md": "x\n"}
    model = finds()
    titles, check = await outcome(pull_request(files, effort="quick", effort_rule="quick lines>9"), model)
    assert named(model) == ["review", "review"]
    assert "auth/login.py" in [one.name for one in model.prompts[0].passages]
    assert titles == []
    assert check.conclusion == "neutral"
    assert check.quick
    assert "Read quickly (`quick lines>9` in review.effort)" in check.summary
    assert "`review` reads the rest" in check.summary
    assert "left by a quick reading" in check.text
    assert set(check.read) == {"auth/login.py", "part0.py"}


async def test_a_quick_reading_that_reads_all_leaves_nothing() -> None:
    _, check = await outcome(pull_request({"a.py": "x = 1\n"}, effort="quick"), finds())
    assert check.conclusion == "success"
    assert "Read quickly: the checks and the riskiest parts, once.\n" in check.summary


async def test_a_deep_reading_votes_and_looks_for_holes_once() -> None:
    model = finds("part0.py", holes=("part1.py",))
    facts = pull_request({name: FILES[name] for name in ("part0.py", "part1.py")}, effort="deep", passes=3)
    titles, check = await outcome(facts, model)
    assert named(model) == ["review"] * 2 + ["security"] * 2 + ["review"] * 4 + ["verify"]
    assert titles == ["review in part0.py", "security in part1.py"]
    assert "Read deeply: 3 times, with a vote, and all of it once for holes alone." in check.summary
    assert not check.quick


async def test_one_point_that_both_find_is_said_once() -> None:
    facts = pull_request({"part0.py": BIG}, effort="deep", passes=3)
    titles, _ = await outcome(facts, finds("part0.py", holes=("part0.py",)))
    assert len(titles) == 1


async def test_what_one_of_three_readings_finds_is_outvoted_and_a_hole_is_not() -> None:
    asked: list[str] = []

    def answer(prompt: Prompt[Any]) -> dict[str, Any]:
        asked.append(prompt.name)
        line = 5 if prompt.name == "security" else 0
        speaks = prompt.name == "security" or len(asked) == 1
        some = [finding(path="part0.py", quote=BIG.split("\n")[line], title=f"line {line}")] if speaks else []
        return {"findings": some, "summary": ""}

    titles, check = await outcome(pull_request({"part0.py": BIG}, effort="deep", passes=3), Model(answer))
    assert titles == ["line 5"]
    assert "1 finding that most readings did not share" in check.summary


async def test_a_deep_reading_stays_within_its_questions() -> None:
    settings = RepoSettings(review=ReviewSettings(max_calls=8))
    model = finds()
    _, check = await outcome(pull_request(FILES, settings, effort="deep", passes=3), model)
    assert named(model) == ["review"] * 5 + ["security"] * 2
    assert set(check.read) == set(FILES)
    assert "Read deeply: 1 time, and 2 of 5 parts once for holes alone." in check.summary


async def test_a_look_for_holes_alone_is_no_review_of_everything() -> None:
    model = finds("part0.py")
    _, check = await outcome(pull_request({"part0.py": BIG}, effort="security"), model)
    assert named(model) == ["security"]
    assert check.conclusion == "neutral"
    assert check.read == ()
    assert check.title == "No findings in 1 of 1 files; only security was looked for"
    assert "Only security was looked for; `review` reads for everything." in check.summary


async def test_what_was_read_for_everything_stays_green_after_a_look_for_holes() -> None:
    facts = pull_request({"part0.py": BIG}, effort="security", read_before=True)
    _, check = await outcome(facts, finds())
    assert check.conclusion == "success"
    assert check.read == ("part0.py",)


async def test_a_review_narrowed_to_something_is_no_review_of_everything() -> None:
    _, check = await outcome(pull_request({"part0.py": BIG}, focus="speed"), finds())
    assert check.conclusion == "neutral"
    assert check.read == ()


async def test_a_failing_look_for_holes_leaves_what_was_read() -> None:
    def answer(prompt: Prompt[Any]) -> dict[str, Any] | str:
        return "the host is away" if prompt.name == "security" else {"findings": [], "summary": ""}

    _, check = await outcome(pull_request({"part0.py": BIG}, effort="deep", passes=1), Model(answer))
    assert check.read == ("part0.py",)
    assert "Read deeply: 1 time, and 0 of 1 part once for holes alone." in check.summary


async def test_a_look_for_holes_that_fails_is_said_and_is_not_green() -> None:
    _, check = await outcome(pull_request({"part0.py": BIG}, effort="security"), Model(lambda _: "away"))
    assert check.conclusion == "neutral"
    assert check.title == "No findings by secrets; no model read this change"
    assert "Why no more: away" in check.summary
