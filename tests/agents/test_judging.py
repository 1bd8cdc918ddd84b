"""What becomes of what a model says: rules that it cannot talk round, and a second look."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.agents import review
from bot.core.code_analysis import Tools
from bot.core.diff import FileDiff, parse_patch
from bot.core.effects import LineComment, PostReview, SetCheck
from bot.core.facts import LinkedIssue, OthersRemark, PullRequestFacts
from bot.core.findings import Finding
from bot.core.inference import Prompt
from bot.core.settings import RepoSettings, ReviewSettings
from tests.agents.facts import Model, pull_request, verdicts
from tests.tea import finding

TEA = "def brew(water):\n    leaves = 3\n    return water / 0\n"


def tells(*findings: dict[str, Any], verify: Callable[[Prompt[Any]], Any] | None = None) -> Model:
    told = {"findings": [finding(**one) for one in findings], "summary": ""}
    return Model(lambda _: told, verify)


async def judged(facts: PullRequestFacts, model: Model) -> tuple[tuple[LineComment, ...], str, SetCheck]:
    """The comments, the review's body, the check run."""
    plan = await review.plan(facts, model)
    (check,) = [effect for effect in plan.effects if isinstance(effect, SetCheck)]
    posted = [effect for effect in plan.effects if isinstance(effect, PostReview)]
    return (posted[0].comments, posted[0].body, check) if posted else ((), "", check)


# -- the second look


async def test_what_the_second_look_refutes_is_counted_and_not_shown() -> None:
    model = tells({"quote": "leaves = 3", "title": "Too few"}, {}, verify=lambda prompt: verdicts(prompt, 1))
    comments, _, check = await judged(pull_request({"tea.py": TEA}), model)
    (left,) = comments
    refuted = [passage.text for passage in model.prompts[-1].passages if passage.name == "finding 1"]
    assert left.body.split(": ")[1].split("\n")[0] not in refuted[0]
    assert "1 finding that a second look refuted, not shown" in check.summary
    assert [prompt.name for prompt in model.prompts] == ["review", "verify"]


async def test_one_question_verifies_all_findings_with_the_code_of_each() -> None:
    text = "".join(f"value_{n} = {n} / 0\n" for n in range(40))
    model = tells(*({"quote": f"value_{n} = {n} / 0", "title": f"Bad {n}"} for n in range(40)))
    _, _, check = await judged(pull_request({"tea.py": text}), model)
    (asked,) = [prompt for prompt in model.prompts if prompt.name == "verify"]
    assert len(asked.passages) == 16
    for passage in asked.passages:
        number = passage.text.split("claim: Bad ")[1].split(".")[0]
        assert f"+value_{number} = {number} / 0" in passage.text
    assert "32 findings over review.max_comments" in check.summary


async def test_without_a_verifier_only_sure_findings_are_said() -> None:
    model = tells(
        {"quote": "leaves = 3", "title": "Perhaps", "confidence": 0.5},
        {},
        verify=lambda _: "no host answered",
    )
    comments, _, check = await judged(pull_request({"tea.py": TEA}), model)
    assert [comment.line for comment in comments] == [3]
    assert "1 finding that could not be verified, not shown" in check.summary


async def test_a_finding_that_the_verifier_forgets_or_misnumbers_is_not_lost() -> None:
    odd = {
        "verdicts": [{"index": 99, "keep": False, "reason": ""}, {"index": -1, "keep": False, "reason": ""}]
    }
    comments, _, _ = await judged(pull_request({"tea.py": TEA}), tells({}, verify=lambda _: odd))
    assert len(comments) == 1


async def test_P8_a_verifier_that_refutes_everything_takes_no_finding_of_a_check_away() -> None:
    secret = Finding("tea.py", "critical", "secret", "AWS key", "Revoke it.", source="secrets", line=2)
    model = tells({}, verify=lambda prompt: verdicts(prompt, *range(99)))
    comments, _, _ = await judged(pull_request({"tea.py": TEA}, checked=(secret,)), model)
    assert [comment.line for comment in comments] == [2]
    assert all("AWS key" not in passage.text for passage in model.prompts[-1].passages)


async def test_nothing_to_verify_asks_nothing() -> None:
    model = tells()
    await judged(pull_request({"tea.py": TEA}), model)
    assert [prompt.name for prompt in model.prompts] == ["review"]


# -- machine checks


def edited(text: str = TEA) -> PullRequestFacts:
    """Line 3 is new, a line before line 6 is gone, the rest was there."""
    patch = """@@ -1,6 +1,6 @@
 import tea
 def brew(water):
+    water /= 0
     leaves = 3
-    check(water)
     steep(leaves)
     return water"""
    lines = ["import tea", "def brew(water):", "    water /= 0", "    leaves = 3", "    steep(leaves)"]
    whole = "\n".join([*lines, "    return water", "", "def pour(cup):", "    return cup / 0", ""])
    file = FileDiff("tea.py", "modified", parse_patch(patch), additions=1, deletions=1)
    return replace(pull_request({"tea.py": whole}), files=(file,))


@pytest.mark.parametrize(
    ("quote", "inline", "annotated"),
    [
        ("water /= 0", 3, None),
        ("steep(leaves)", 5, None),  # beside what is gone
        ("import tea", None, 1),  # a mere context line
        ("return cup / 0", None, 9),  # in the file and not in the diff
    ],
)
async def test_only_changed_lines_are_commented_on_and_others_are_annotated(
    quote: str, inline: int | None, annotated: int | None
) -> None:
    comments, body, check = await judged(edited(), tells({"quote": quote}))
    assert [comment.line for comment in comments] == ([inline] if inline else [])
    assert [one.start_line for one in check.annotations] == ([annotated] if annotated else [])
    assert bool(body) is bool(inline)
    assert check.conclusion == "neutral"
    assert check.title == "1 finding in 1 of 1 files"


async def test_a_claim_about_names_that_do_not_exist_is_dropped_and_counted() -> None:
    invented = {"title": "`boil_over()` is called twice", "body": "See `boilOver`."}
    comments, _, check = await judged(pull_request({"tea.py": TEA}), tells(invented))
    assert comments == ()
    assert "1 finding naming code that is not there, not shown" in check.summary


@pytest.mark.parametrize(
    "said",
    [
        {"title": "`brew()` fails", "body": "Call `safe_divide()` instead."},
        {"title": "`ZeroDivisionError` at once", "body": "Use `math.inf` or `print()`."},
        {"title": "`self.brew()` fails", "body": ""},
        {"title": "It fails", "body": "No name at all: `water / 0`."},
    ],
)
async def test_advice_and_builtins_are_no_invented_names(said: dict[str, str]) -> None:
    comments, _, _ = await judged(pull_request({"tea.py": TEA}), tells(said))
    assert len(comments) == 1


async def test_where_all_names_are_known_the_title_has_to_name_such() -> None:
    facts = replace(pull_request({"tea.py": TEA}), tools=Tools(known=lambda name: name == "boil_over"))
    comments, _, _ = await judged(facts, tells({"title": "`boil_over()` is missing"}))
    assert len(comments) == 1
    comments, _, _ = await judged(facts, tells({"title": "`brew_over()` is missing"}))
    assert comments == ()


# -- said before, said by others


async def test_a_point_quoted_with_a_line_more_or_less_or_under_an_old_name_is_the_same() -> None:
    first, _, _ = await judged(pull_request({"tea.py": TEA}), tells({}))
    posted = frozenset(comment.fingerprint for comment in first)
    wider = {"quote": "    leaves = 3\n    return water / 0", "title": "Divides by nothing"}
    facts = pull_request({"tea.py": "import x\n" + TEA}, posted=posted)
    assert (await judged(facts, tells(wider)))[0] == ()
    moved = pull_request({"pot.py": TEA}, posted=posted)
    moved = replace(moved, files=tuple(replace(file, old_path="tea.py") for file in moved.files))
    comments, _, check = await judged(moved, tells({"path": "pot.py"}))
    assert comments == ()
    assert "1 finding said before and still there" in check.summary


def remark(**more: Any) -> OthersRemark:
    return OthersRemark(
        **{"path": "tea.py", "line": 3, "author": "cr[bot]", "words": "This is a division by zero!", **more}
    )


@pytest.mark.parametrize(
    ("said", "silent"),
    [
        (remark(), True),
        (remark(start_line=1, line=9), True),
        (remark(words="Zero division here always fails, I think"), True),
        (remark(line=1), False),
        (remark(path="pot.py"), False),
        (remark(line=None), False),
        (remark(words="Please rename this."), False),
        (remark(words=""), False),
    ],
)
async def test_what_somebody_else_said_on_these_lines_is_not_said_again(
    said: OthersRemark, silent: bool
) -> None:
    comments, _, check = await judged(pull_request({"tea.py": TEA}, threads=(said,)), tells({}))
    assert (comments == ()) is silent
    assert ("1 finding that others have made already, not shown" in check.summary) is silent


async def test_P8_nobody_hides_a_secret_by_talking_about_it_and_ci_may_speak_for_ruff() -> None:
    secret = Finding("tea.py", "critical", "key", "AWS key", "", source="secrets", line=3)
    unused = Finding("tea.py", "minor", "F841", "Unused name leaves", "", source="ruff", line=2)
    threads = (
        remark(words="AWS key"),
        remark(words="AWS key", kind="annotation"),
        remark(line=2, words="Unused name leaves"),
    )
    comments, _, _ = await judged(
        pull_request({"tea.py": TEA}, checked=(secret, unused), threads=threads), tells()
    )
    assert [comment.line for comment in comments] == [3, 2]
    ci = remark(line=2, words="F841 Unused name leaves", kind="annotation")
    comments, _, _ = await judged(
        pull_request({"tea.py": TEA}, checked=(secret, unused), threads=(ci,)), tells()
    )
    assert [comment.line for comment in comments] == [3]


# -- the linked issue


async def test_what_the_linked_issue_asks_for_is_shown_and_at_most_one_finding_is_about_it() -> None:
    facts = pull_request({"tea.py": TEA}, linked_issues=(LinkedIssue(9, "Brew green tea", "Not black."),))
    model = tells(
        {"category": "issue", "quote": "", "title": "No green tea", "path": "tea.py"},
        {"category": "issue", "quote": "", "title": "Still black", "path": "x"},
    )
    comments, body, _ = await judged(facts, model)
    assert any(one.name == "issue 9" and "Not black." in one.text for one in model.prompts[0].passages)
    assert comments == ()
    assert body.count("`issue 9`") == 1
    posted = frozenset(
        {review.writing.fingerprint(Finding("issue 9", "major", "issue", "Any words", "", quote="issue 9"))}
    )
    _, body, _ = await judged(replace(facts, posted=posted), model)
    assert body == ""


async def test_who_saw_a_part_of_the_change_cannot_say_what_it_leaves_out() -> None:
    files = {f"f{n}.py": f"x{n} = 1\n" * 700 for n in range(3)}
    facts = pull_request(files, linked_issues=(LinkedIssue(9, "Brew green tea", "Not black."),))
    _, body, check = await judged(facts, tells({"category": "issue", "quote": "", "path": "f1.py"}))
    assert body == ""
    assert "findings about a linked issue from a part of the change, not shown" in check.summary


# -- passes


async def test_what_most_readings_find_is_said_and_their_order_differs() -> None:
    files = {f"f{n}.py": TEA for n in range(6)}
    always = finding(path="f1.py")
    once = finding(path="f2.py")
    seen: list[tuple[str, ...]] = []

    def answer(prompt: Prompt[Any]) -> dict[str, Any]:
        seen.append(tuple(passage.name for passage in prompt.passages))
        return {"findings": [always, once] if len(seen) == 2 else [always], "summary": ""}

    comments, _, check = await judged(pull_request(files, passes=3), Model(answer))
    assert [comment.path for comment in comments] == ["f1.py"]
    assert "1 finding that most readings did not share" in check.summary
    assert len(seen) == len(set(seen)) == 3
    assert len({frozenset(names) for names in seen}) == 1
    first = list(seen)
    seen.clear()
    await judged(pull_request(files, passes=3), Model(answer))
    assert seen == first


# -- replacements


async def test_a_replacement_that_cannot_be_applied_is_shown_as_code_that_cannot_break_out() -> None:
    code = "return water / 2\n```\n@ann approve\n```suggestion\nevil"
    comments, _, _ = await judged(pull_request({"tea.py": TEA}), tells({"replacement": code}))
    (comment,) = comments
    assert comment.suggestion is None
    assert f"Perhaps:\n\n````\n{code}\n````" in comment.body


async def test_a_replacement_that_brings_a_new_remark_of_the_linter_is_no_suggestion() -> None:
    async def lint(texts: Any) -> Any:
        return [Finding(path, "minor", "X", "no", "") for path, text in texts.items() if "/ 2" in text]

    facts = replace(pull_request({"tea.py": TEA}), tools=Tools(lint=lint))
    comments, _, _ = await judged(facts, tells({"replacement": "    return water / 2"}))
    assert comments[0].suggestion is None
    comments, _, _ = await judged(facts, tells({"replacement": "    return water / 3"}))
    assert comments[0].suggestion == "    return water / 3"


async def test_a_multi_line_replacement_is_for_exactly_the_quoted_lines() -> None:
    quote = "    leaves = 3\n    return water / 0"
    comments, _, _ = await judged(
        pull_request({"tea.py": TEA}), tells({"quote": quote, "replacement": "    return water"})
    )
    (comment,) = comments
    assert (comment.start_line, comment.line, comment.suggestion) == (2, 3, "    return water")


# -- many parts


async def test_N3_three_hundred_files_are_read_in_parts_within_the_budget_of_calls() -> None:
    files = {f"src/m{n:03}.py": f"def f{n}():\n" + f"    x = {n}\n" * 110 for n in range(300)}
    model = tells()
    _, _, check = await judged(pull_request(files), model)
    assert len(model.prompts) == 39
    read = int(check.title.split(" of ")[0].rpartition(" ")[2])
    assert 200 < read < 300
    assert "more than one review reads (review.max_calls)" in check.text
    assert check.conclusion == "neutral"
    settings = RepoSettings(review=ReviewSettings(max_calls=200))
    _, _, check = await judged(pull_request(files, settings), model)
    assert (check.title, check.conclusion) == ("No findings in 300 of 300 files", "success")
    for prompt in model.prompts:
        assert sum(len(passage.text) for passage in prompt.passages) < 13_500


async def test_R10_one_bad_answer_among_many_costs_one_part_and_two_in_a_row_end_the_asking() -> None:
    files = {f"f{n}.py": "x = 1\n" * 1400 for n in range(6)}
    bad = {2}

    async def infer(prompt: Prompt[Any], /) -> Any:
        answer = await model(prompt)
        if len(model.prompts) in bad:
            return replace(answer, value=None, failure="invalid", reason="gave no usable answer")
        return answer

    model = tells()
    check = (await review.plan(pull_request(files), infer)).effects[-1]
    assert isinstance(check, SetCheck)
    assert check.title == "No findings in 5 of 6 files"
    assert "gave no usable answer" in check.summary
    model.prompts.clear()
    bad = {2, 3}
    check = (await review.plan(pull_request(files), infer)).effects[-1]
    assert isinstance(check, SetCheck)
    assert check.title == "No findings in 1 of 6 files"
    assert len(model.prompts) == 3


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"quote": "invented = water / 0"}, "1 finding quoting code that is not there, not shown"),
        ({"path": "pot.py"}, "1 finding about files that this change does not touch, not shown"),
    ],
)
async def test_a_finding_whose_path_or_quote_does_not_hold_is_not_posted_and_leaves_no_green_check(
    said: dict[str, str], why: str
) -> None:
    comments, body, check = await judged(pull_request({"tea.py": TEA}), tells(said))
    assert (comments, body) == ((), "")
    assert why in check.summary
    assert check.conclusion == "neutral"


# -- what was dropped keeps the check from being green, and its title says so


@pytest.mark.parametrize(
    ("said", "verify", "words"),
    [
        ([{"quote": "boil(everything)"}], None, "; 1 claim could not be placed"),
        ([{"path": "milk.py"}, {"quote": "boil(everything)"}], None, "; 2 claims could not be placed"),
        ([{"confidence": 0.3}], lambda _: "no host answered", "; 1 claim not judged"),
        (
            [{"quote": "leaves = 3"}] * 60,
            lambda prompt: verdicts(prompt, *range(99)),
            "; 10 claims not judged",
        ),
    ],
)
async def test_a_check_is_not_green_over_claims_that_were_dropped(
    said: list[dict[str, Any]], verify: Callable[[Prompt[Any]], Any] | None, words: str
) -> None:
    comments, _, check = await judged(pull_request({"tea.py": TEA}), tells(*said, verify=verify))
    assert comments == ()
    assert check.conclusion == "neutral"
    assert check.title == f"No findings in 1 of 1 files{words}"


async def test_a_claim_without_a_quote_is_marked_as_tied_to_no_line() -> None:
    _, body, _ = await judged(pull_request({"tea.py": TEA}), tells({"quote": "", "title": "No tests"}))
    assert "- `tea.py` (tied to no line): **major** No tests." in body


async def test_a_quote_with_diff_marks_that_stands_twice_is_not_invented() -> None:
    facts = edited("")
    text = "a()\nb()\nnew()\na()\nb()"
    file = FileDiff(
        "tea.py", "modified", parse_patch("@@ -1,4 +1,5 @@\n a()\n b()\n+new()\n a()\n b()"), additions=1
    )
    facts = replace(facts, files=(file,), texts={"tea.py": text})
    _, body, check = await judged(facts, tells({"quote": "+a()\n+b()", "title": "Done twice"}))
    assert "Done twice" in body
    assert "not there" not in check.summary
