"""Chains as files: those of the house, and what is said about one that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import LoopBack, faults
from bot.core.errors import UserError
from bot.prompting import load_chain, load_persona, names
from bot.prompting.chains import parse_chain

PLAN = '[[steps]]\nname = "plan"\nagent = "manager"\ngives = "plan"\n'
WORK = '[[steps]]\nname = "work"\nagent = "worker"\nneeds = ["plan"]\neach = "plan"\n'


@pytest.mark.parametrize("name", names("chains", ".toml"))
def test_every_chain_of_the_house_has_its_agents(name: str) -> None:
    chain = load_chain(name)
    assert chain.description
    assert faults(chain) == ()
    for step in chain.steps:
        for agent in (step.agent, *step.agents):
            assert load_persona(agent).system


def test_the_feature_chain_is_manager_workers_reviewer_and_back() -> None:
    chain = load_chain("feature")
    assert [(step.name, step.agent) for step in chain.steps] == [
        ("plan", "manager"),
        ("work", "worker"),
        ("review", "reviewer"),
    ]
    assert chain.step("work").each == "plan"
    assert chain.step("work").concurrency > 1
    assert chain.step("review").loop_back == LoopBack("work", "rejected", 2)
    assert chain.after("work") == {"work", "review"}


def test_a_chain_is_found_by_path_and_in_a_folder_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chains").mkdir()
    (tmp_path / "chains" / "mine.toml").write_text(PLAN)
    assert load_chain(str(tmp_path / "chains" / "mine.toml")).name == "mine"
    with pytest.raises(UserError, match="no chain named 'mine'"):
        load_chain("mine")
    monkeypatch.setenv("HOB_PROMPTS", str(tmp_path))
    assert load_chain("mine").steps[0].agent == "manager"
    assert {"mine", "feature"} <= set(names("chains", ".toml"))


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (PLAN.replace("agent", "agnet"), r"step 1 \(plan\): unknown key agnet", "did you mean agent"),
        ('step = 1\n"', "not TOML", "correct"),
        ("stepps = []", "unknown key stepps", "did you mean steps"),
        ("", "at least one step", "docs/agents.md"),
        ("steps = 3", "steps are no tables", "[[steps]]"),
        ('[[steps]]\nname = "plan"\n', "agent is missing", "add it"),
        (PLAN + 'timeout = "long"\n', "timeout is 'long'", "seconds"),
        (PLAN + "timeout = -1\n", "timeout is '-1'", "over 0"),
        (PLAN + "concurrency = 0\n", "concurrency is '0'", "from 1 to 64"),
        (PLAN + "retries = true\n", "retries is 'True'", "whole number"),
        (
            PLAN.replace('"plan"\n', '"plam"\n').replace('name = "plam"', 'name = "plan"'),
            "gives is",
            "plan, verdict",
        ),
        (PLAN + PLAN, "two steps are named plan", ""),
        (WORK, "work needs plan, which is no earlier step", ""),
        (PLAN + WORK + 'gives = "verdict"\n', 'with each it gives "text"', ""),
        (PLAN + WORK.replace('each = "plan"', 'each = "work"'), "not among its needs", ""),
        (
            PLAN.replace('"plan"', '"text"', 2).replace('name = "text"', 'name = "plan"') + WORK,
            "does not give",
            "",
        ),
        (PLAN + 'agents = ["chat"]\n', "names agents without each", ""),
        (PLAN + WORK + 'loop_back = {to = "plan"}\n', 'does not give "verdict"', ""),
        (PLAN + WORK + 'loop_back = {to = "work", whn = "failed"}\n', "unknown key whn", "did you mean when"),
        (PLAN + 'loop_back = {to = "work", when = "failed"}\n' + WORK, "no earlier step", ""),
        (PLAN + 'loop_back = {to = "plan", when = "failed", at_most = 99}\n', "at_most is '99'", "1 to 10"),
        ('answer = "wrok"\n' + PLAN, "answer is wrok, which is no step", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str, hint: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        parse_chain("mine", text, "mine.toml")
    assert str(error.value).startswith("mine.toml")
    assert hint in error.value.hint


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["name", "agent", "gives", "needs", "timeout", "retries", "loop_back", "agents"]), _VALUES
)
def test_whatever_a_key_holds_is_a_chain_or_a_sentence(key: str, value: object) -> None:
    lines = {"name": '"plan"', "agent": '"manager"', key: _toml(value)}
    text = "[[steps]]\n" + "\n".join(f"{name} = {shown}" for name, shown in lines.items())
    said = ""
    try:
        steps = parse_chain("mine", text, "mine.toml").steps
    except UserError as error:
        said, steps = str(error), ()
    assert steps or said.startswith("mine.toml")


def _toml(value: object) -> str:
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
        case str():
            return '"' + "".join(f"\\U{ord(each):08X}" for each in value) + '"'
        case _:
            return repr(value)
