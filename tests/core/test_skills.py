"""Which skills of a base are shown for a change."""

from collections.abc import Sequence

import pytest

from bot.core.guidelines import MOST_CHARS, gathered
from bot.core.skills import FOLDER_MODE, MOST_LISTED, MOST_SKILLS, fitting, folders_in, holds, read
from bot.patterns import wanted

FILE, LINK = 0o100644, 0o120000


def skill(front: str, body: str = "Body.", name: str = "tea") -> str:
    return f"---\n{front}\n---\n{body}"


@pytest.mark.parametrize(
    ("front", "path", "fits"),
    [
        ("description: How we write Python", "src/a.py", True),
        ("description: How we write Python", "src/a.ts", False),
        ("description: >-\n  For all of\n  the billing code", "src/billing/a.ts", True),
        ("description: |\n  billing", "src/BillingService.java", True),
        ("description: 'Code review rules'", "any/thing", True),
        ("description: Ship it\npaths: [src/**]", "src/a.py", True),
        ("description: python\npaths:\n  - docs/**\n  - '*.md'", "src/a.py", False),
        ("globs: '*.md,*.txt'", "a.txt", True),
        ("name: python", "a.py", False),
        ("description: files in the src of this project", "src/main/file.x", False),
        ("", "a.py", False),
    ],
)
def test_a_skill_fits_what_its_paths_or_its_description_name(front: str, path: str, fits: bool) -> None:
    found = fitting([read("skills/tea/SKILL.md", skill(front))], [path, "other/z.zig"], wanted)
    assert bool(found) is fits
    assert all(one.patterns or holds(one.words, path) for one in found)
    assert not any(holds(one.words, "other/z.zig") for one in found if "review" not in one.text)


def test_name_description_and_body_are_shown_without_the_front_matter() -> None:
    text = skill('name: "brew"\ndescription: How: tea\nallowed-tools: Bash', "Boil.\n---\nServe.")
    assert (
        read("skills/x/SKILL.md", text).text
        == "brew: How  tea".replace("  ", ": ") + "\n\nBoil.\n---\nServe."
    )
    assert read("skills/x/SKILL.md", "No front.").text == "x\n\nNo front."


@pytest.mark.parametrize(
    "text",
    [
        "---\n" + "&a [*a, *a]\n" * 50 + "---\nx",
        "---\ndescription: " + "[" * 100_000 + "\n---\nx",
        "---\n" + "a: b\n" * 100_000,
        "---\ndescription: >\n" + "  python\n" * 90 + "---\nx",
        "---\npaths: " + "a," * 50_000 + "\n---\nx",
        "---\ndescription: !!python/object/apply:os.system [x]\n? {a: b}\n---\nx",
        "---",
        "---\n---",
        "\ufeff---\nname: x\n---\n",
        "",
    ],
)
def test_C3_front_matter_of_strangers_is_read_in_bounds(text: str) -> None:
    found = read("skills/x/SKILL.md", text)
    assert len(found.patterns) <= 50
    assert len(found.text) <= len(text) + 64 + 1_024
    assert len(found.words) <= 500


def test_few_fit_and_the_closest_first() -> None:
    many = [read(f"skills/s{n}/SKILL.md", skill("description: python")) for n in range(9)]
    about = read("skills/z/SKILL.md", skill("description: reviews"))
    named = read("skills/zz/SKILL.md", skill("paths: '*.py'"))
    found = fitting([*many, about, named], ["a.py"], wanted)
    assert [one.path for one in found][:3] == [
        "skills/zz/SKILL.md",
        "skills/z/SKILL.md",
        "skills/s0/SKILL.md",
    ]
    assert len(found) == MOST_SKILLS
    assert len(folders_in({f"skills/s{n}": FOLDER_MODE for n in range(99)})) == MOST_LISTED
    assert folders_in({"skills/a": FILE, "skills/b": FOLDER_MODE, "lib/c": FOLDER_MODE}) == ["skills/b"]


async def test_C1_C3_skills_are_read_where_there_are_any_regular_and_short() -> None:
    tree = {
        "skills/a": FOLDER_MODE,
        "skills/a/SKILL.md": FILE,
        "skills/a/AGENTS.md": FILE,
        "skills/b": FOLDER_MODE,
        "skills/b/SKILL.md": LINK,
        ".claude/skills": LINK,
    }
    listed: list[Sequence[str]] = []

    async def folders(paths: Sequence[str]) -> dict[str, int]:
        listed.append(paths)
        return {path: mode for path, mode in tree.items() if path.rpartition("/")[0] in paths}

    async def texts(paths: Sequence[str]) -> dict[str, str]:
        assert all(tree[path] == FILE for path in paths)
        return {path: skill("description: python", "x" * 99_999) for path in paths}

    found = await gathered(["a.py"], ["AGENTS.md"], folders, texts, wanted)
    assert [one.path for one in found.guidelines] == ["skills/a/SKILL.md"]
    assert len(found.guidelines[0].text) <= MOST_CHARS
    assert [one.holds_for(path, wanted) for one in found.guidelines for path in ("a.py", "a.ts")] == [
        True,
        False,
    ]
    assert found.symlinks == (".claude/skills", "skills/b/SKILL.md")
    assert len(listed) == 2 + bool(listed[2:])
    tree.clear()
    listed.clear()
    await gathered(["a.py"], ["AGENTS.md"], folders, texts, wanted)
    assert len([paths for paths in listed if paths]) == 1
