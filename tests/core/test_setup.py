"""What `hob setup` decides: what comes next, which model, and how a hob.toml is changed."""

import itertools
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.model_choice import SIZES, MachineMemory, gigabytes, suggested
from bot.core.setup_steps import SetupFacts, next_step
from bot.core.toml_text import edited

DOES = {"register": "app", "model": "model", "install": "installed", "check": "checked", "start": "running"}


@pytest.mark.parametrize("known", list(itertools.product([False, True], repeat=6)))
def test_from_wherever_it_was_broken_off_each_step_comes_once_and_it_ends(known: tuple[bool, ...]) -> None:
    facts, steps = SetupFacts(*known), []
    while (step := next_step(facts)) != "done":
        steps.append(step)
        facts = replace(facts, **{DOES[step]: True})
        assert len(steps) <= len(DOES)
    assert steps == [step for step in DOES if step in steps], "in this order"
    assert not [step for step in steps if getattr(SetupFacts(*known), DOES[step])], "nothing twice"
    assert facts.app
    assert facts.installed
    assert facts.checked
    assert ("start" in steps) == (facts.start and not known[4])


@pytest.mark.parametrize(
    ("memory", "name"),
    [
        (MachineMemory(8, unified=True), "qwen2.5-coder:3b"),
        (MachineMemory(16, unified=True), "qwen2.5-coder:7b"),
        (MachineMemory(24, unified=True), "qwen2.5-coder:14b"),
        (MachineMemory(64, unified=True), "qwen2.5-coder:32b"),
        (MachineMemory(8), "qwen2.5-coder:3b"),
        (MachineMemory(256), "qwen2.5-coder:7b"),  # a processor alone is too slow for more
        (MachineMemory(16, 2), "qwen2.5-coder:7b"),  # a card of 2 GB is as none
        (MachineMemory(32, 8), "qwen2.5-coder:7b"),
        (MachineMemory(32, 16), "qwen2.5-coder:14b"),
        (MachineMemory(64, 48), "qwen2.5-coder:32b"),
        (MachineMemory(0), "qwen2.5-coder:1.5b"),
    ],
    ids=str,
)
def test_the_model_is_the_largest_that_this_memory_holds(memory: MachineMemory, name: str) -> None:
    found = suggested(memory, [], room_gb=1000)
    assert found
    assert found.name == name
    assert str(memory) in found.why


@given(
    main=st.floats(0, 2000),
    graphics=st.floats(0, 500),
    unified=st.booleans(),
    room=st.floats(0, 500),
    present=st.lists(
        st.sampled_from([*(size.name for size in SIZES), "llama3:8b", "nomic-embed-text:latest"])
    ),
)
def test_what_is_suggested_is_there_or_has_room(
    main: float, graphics: float, unified: bool, room: float, present: list[str]
) -> None:
    memory = MachineMemory(main, graphics, unified)
    found = suggested(memory, present, room_gb=room)
    if found is None:
        assert not [name for name in present if "embed" not in name]
        return
    assert "embed" not in found.name
    assert (found.download_gb == 0) == (found.name in present)
    assert found.download_gb < room or not found.download_gb
    if found.download_gb > SIZES[0].download_gb:
        (size,) = (size for size in SIZES if size.name == found.name)
        assert size.needs_gb <= memory.usable


def test_what_the_host_has_already_is_taken_where_it_fits() -> None:
    small, large = ("qwen2.5-coder:3b", "qwen2.5-coder:32b")
    mini = MachineMemory(16, unified=True)
    assert suggested(mini, [small], room_gb=99).name == small  # type: ignore[union-attr]
    assert suggested(mini, [large], room_gb=99).name == "qwen2.5-coder:7b"  # type: ignore[union-attr]
    assert suggested(mini, [large], room_gb=0).name == large  # type: ignore[union-attr]
    assert suggested(MachineMemory(24), ["qwen2.5-coder:14b"], room_gb=99).name == "qwen2.5-coder:14b"  # type: ignore[union-attr]
    assert suggested(mini, ["llama3:8b"], room_gb=99).name == "llama3:8b"  # type: ignore[union-attr]
    assert suggested(mini, [], room_gb=3).name == small  # type: ignore[union-attr]
    assert suggested(mini, ["bge-m3:latest"], room_gb=0) is None


@pytest.mark.parametrize(
    ("kind", "said", "gb"),
    [
        ("meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n", 15.6),
        ("meminfo", "", 0), ("meminfo", "MemTotal:\n", 0), ("meminfo", "MemTotal: lots kB", 0),
        ("sysctl", "17179869184\n", 16), ("sysctl", "sysctl: unknown oid", 0), ("sysctl", "9" * 400, 0),
        ("nvidia", "24564\n8192\n", 24.0), ("nvidia", "[N/A]\n", 0), ("nvidia", "", 0),
    ],
)  # fmt: skip
def test_memory_is_read_or_nothing_is(kind: str, said: str, gb: float) -> None:
    assert gigabytes(kind, said) == pytest.approx(gb, abs=0.05)


KEYS = st.sampled_from(["app_id", "app_slug", "mode", "review", "x-y"])
STRANGE = "aä\"\\#'[]\n\t\x00\x7f\u2028=🍵"
VALUES = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.text(STRANGE, max_size=6),
    st.lists(st.text(STRANGE, max_size=3), max_size=3),
)
TABLES = st.dictionaries(
    st.sampled_from(["github", "intake", "models"]), st.dictionaries(KEYS, VALUES, min_size=1)
)
PIECES = st.lists(
    st.sampled_from(
        [
            "[github]", " [ github ] # mine", "[intake]", "[models]", "[[hosts]]", "[hosts.models.x]", "",
            "# app_id = 1",
            "app_id = 1", "app_id=2 # old # two", '"app_id" = 3', 'app_slug = "a # b" # c', "review = [",
            '  "a", # one', "]",
            'text = """', "[github]", '"""', "github.app_id = 4", "x-y = '#'", "mode = \"poll\"\r",
        ]
    ),
    max_size=14,
)  # fmt: skip


@example(pieces=[], changes={"github": {"app_id": "\u2028["}})
@example(pieces=[], changes={"github": {"app_id": "\x85a\u2029["}})
@given(pieces=PIECES, changes=TABLES)
def test_a_hob_toml_is_changed_as_asked_and_in_nothing_else_or_left_alone(
    pieces: list[str], changes: dict[str, Any]
) -> None:
    text = "\n".join(pieces)
    try:
        new = edited(text, changes)
    except ValueError:
        return
    before, after = tomllib.loads(text), tomllib.loads(new)
    for table, keys in changes.items():
        for key, value in keys.items():
            assert after[table].pop(key) == value
            before.get(table, {}).pop(key, None)
    assert {name: kept for name, kept in after.items() if kept} == {
        name: kept for name, kept in before.items() if kept
    }
    said = [line.strip() for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in said if line not in new] == []
    assert edited(new, changes) == new, "once is enough"


def test_a_persons_own_words_stay_where_they_are() -> None:
    text = '# mine\r\n[github]\r\napp_id = 1  # of the company\r\n\r\n# hosts\r\n[[hosts]]\r\nname = "a"\r\n'
    assert edited(text, {"github": {"app_id": 2, "app_slug": "b"}, "intake": {"mode": "poll"}}) == (
        '# mine\r\n[github]\r\napp_id = 2  # of the company\r\napp_slug = "b"\r\n\r\n# hosts\r\n[[hosts]]\r\n'
        'name = "a"\r\n\r\n[intake]\r\nmode = "poll"\r\n'
    )
    for strange in ("github.app_id = 1\n", "github = {app_id = 1}\n", 'github = "x"\n', "[github\n"):
        with pytest.raises(ValueError):
            edited(strange, {"github": {"app_id": 2}})
