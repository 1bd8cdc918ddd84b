"""Which sentences ask what waits for what, in several languages, and which do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.dependency_questions import dependency_question, subject


def asked(text: str) -> str:
    found = dependency_question(text)
    if found is None:
        return ""
    what = "here" if found.here else str(found.ref) if found.ref else found.milestone
    return f"{found.kind} {what}".strip() + ("" if found.sure else " ?")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What blocks v1.0?", "blocks v1.0"),
        ("what's still blocking #12", "blocks #12"),
        ("Hey Hob, can you tell me what blocks the milestone “Summer tea”?", "blocks Summer tea"),
        ("Could you please list the blockers of issue 12", "blocks #12"),
        ("What is #12 waiting for?", "blocks #12"),
        ("what does https://github.com/octo/tea/issues/12#issuecomment-3 depend on?", "blocks octo/tea#12"),
        ("Why is this blocked?", "blocks here"),
        ("is octo/tea#7 blocked right now?", "blocks octo/tea#7"),
        ("who is waiting for #12?", "waiting #12"),
        ("What does GH-12 block?", "waiting #12"),
        ("Which issues are blocked by pull request #7?", "waiting #7"),
        ("what is ready to start?", "ready"),
        ("Thanks. Which tickets are ready to be picked up in v1.0?", "ready v1.0"),
        ("what can I work on next?", "ready"),
        ("which issues does milestone X still have open?", "open X"),
        ("What is left to do in v2?", "open v2"),
        ("How many issues are still open in the milestone Spring?", "open Spring"),
        ("what did #3 unblock?", "unblocked #3"),
        ("What would merging #3 unblock?", "unblocked #3"),
        ("which issues are blocked?", "blocked"),
        ("Are there any circular dependencies?", "cycles"),
        ("Was blockiert v1.0?", "blocks v1.0"),
        ("Bitte sag mir, wovon hängt #12 ab?", "blocks #12"),
        ("Wer wartet auf #12?", "waiting #12"),
        ("Was können wir als nächstes anfangen?", "ready"),
        ("Welche Issues sind im Meilenstein Frühling noch offen?", "open Frühling"),
        ("Qu\u2019est-ce qui bloque v1.0 ?", "blocks v1.0"),
        ("Qui attend #12 ?", "waiting #12"),
        ("Que peut-on commencer ?", "ready"),
        ("Que reste-t-il à faire pour v1.0 ?", "open v1.0"),
        ("¿Qué bloquea v1.0?", "blocks v1.0"),
        ("¿Quién espera a #12?", "waiting #12"),
        ("¿Qué podemos empezar?", "ready"),
        ("O que bloqueia a v1.0?", "blocks v1.0"),
        ("O que podemos começar agora?", "ready"),
        ("Cosa blocca v1.0?", "blocks v1.0"),
        ("Chi aspetta #12?", "waiting #12"),
        ("Wat blokkeert v1.0?", "blocks v1.0"),
        ("Wie wacht op #12?", "waiting #12"),
        ("Что блокирует v1.0?", "blocks v1.0"),
        ("Кто ждёт #12?", "waiting #12"),
        ("什么阻塞了v1.0\uff1f", "blocks v1.0"),
        ("谁在等#12\uff1f", "waiting #12"),
        ("何がv1.0をブロックしていますか\uff1f", "blocks v1.0"),
        ("誰が#12を待っていますか", "waiting #12"),
    ],
)
def test_a_question_of_what_waits_for_what_is_understood(text: str, found: str) -> None:
    assert asked(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "How do I block a user?",
        "Why is this cached?",
        "Explain what blocks a thread",
        "What blocks v1.0? And how does brew() work?",
        "Can you check whether this was reported before?",
        "`what blocks v1.0?`",
        "> what blocks v1.0?",
        "```\nwhat blocks v1.0?\n```",
        "what blocks #1? what blocks #2?",
        "what blocks " + "v" * 400,
        "",
    ],
)
def test_other_questions_are_left_to_others(text: str) -> None:
    assert asked(text) == ""


@pytest.mark.parametrize(
    "text", ["What blocks the event loop?", "what does brew depend on?", "What is open in the editor?"]
)
def test_a_name_that_may_be_anything_is_not_sure(text: str) -> None:
    assert asked(text).endswith("?")


def test_a_bare_number_may_be_a_milestone_too() -> None:
    found = dependency_question("what blocks 12?")
    assert found and found.ref and (found.ref.number, found.milestone) == (12, "12")


def test_a_command_names_an_issue_a_milestone_or_nothing() -> None:
    assert [asked and asked.milestone for asked in map(subject, ["v1.0", "milestone v1.0", "'v1.0'"])] == [
        "v1.0"
    ] * 3
    here, number = subject(" "), subject("#12")
    assert here and here.here
    assert number and number.ref and number.ref.number == 12


@given(st.text(alphabet="what blocks isready#12v.0? \n`>", max_size=120))
def test_any_text_is_read(text: str) -> None:
    dependency_question(text)
