"""Which words of a repository a reviewer is shown, and whose they are."""

from collections.abc import Sequence

import pytest

from bot.core.guidelines import (
    MOST_DEPTH,
    MOST_IMPORTS,
    folders,
    guideline_paths,
    imports,
    owners,
    review_first,
    scope,
    speaks,
    symlinks,
    trimmed,
    with_imports,
)
from bot.patterns import wanted

NAMED = ("AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md")
FILE, LINK = 0o100644, 0o120000


def test_folders_are_those_above_the_changed_files_and_the_known_ones() -> None:
    found = folders(["src/api/http/app.py", "README.md"])
    assert found[0] == ""
    assert {".github", ".github/instructions", ".cursor/rules", "src", "src/api", "src/api/http"} <= set(
        found
    )
    assert len(folders([f"d{n}/a.py" for n in range(500)])) == 40


def test_the_general_comes_before_the_special_and_symlinks_never() -> None:
    tree = {
        "src/AGENTS.md": FILE,
        ".cursor/rules/api.mdc": FILE,
        ".github/instructions/py.instructions.md": FILE,
        ".github/instructions/notes.md": FILE,
        "CLAUDE.md": LINK,
        "AGENTS.md": FILE,
        ".github/copilot-instructions.md": FILE,
        "docs/CONTRIBUTING.md": FILE,
    }
    assert guideline_paths(tree, NAMED) == [
        "AGENTS.md",
        ".github/copilot-instructions.md",
        ".cursor/rules/api.mdc",
        ".github/instructions/py.instructions.md",
        "src/AGENTS.md",
    ]
    assert symlinks(tree, NAMED) == ["CLAUDE.md"]
    assert guideline_paths(tree, ()) == guideline_paths(tree, NAMED)[1:4]


@pytest.mark.parametrize(
    ("path", "text", "holds", "not_for"),
    [
        ("AGENTS.md", "x", "src/a.py", None),
        ("src/AGENTS.md", "x", "src/api/a.py", "lib/src/a.py"),
        (
            ".github/instructions/a.instructions.md",
            '---\napplyTo: "**/*.ts,**/*.tsx"\n---\nx',
            "a/b.tsx",
            "b.py",
        ),
        (
            ".cursor/rules/a.mdc",
            "---\ndescription: d\nglobs: [src/**]\nalwaysApply: false\n---\nx",
            "src/a",
            "a",
        ),
        (".cursor/rules/b.mdc", "---\nalwaysApply: true\n---\nx", "any/thing", None),
        (".cursor/rules/c.mdc", "x", None, "any/thing"),
    ],
)
def test_a_guideline_holds_for_the_files_that_it_names(
    path: str, text: str, holds: str | None, not_for: str | None
) -> None:
    patterns, rest = scope(path, text)
    assert rest.strip() == "x"
    assert holds is None or (patterns and wanted(holds, patterns))
    assert not_for is None or not patterns or not wanted(not_for, patterns)


def test_C3_imports_are_read_inside_of_the_repository_and_outside_of_code() -> None:
    text = "See @docs/style.md and @../up.md, @./near.md.\n`@docs/code.md`\n```\n@in/fence.md\n```\na@b.com"
    assert imports("AGENTS.md", text) == ["docs/style.md", "near.md"]
    assert imports("src/AGENTS.md", text) == ["src/docs/style.md", "up.md", "src/near.md"]
    assert imports("AGENTS.md", "@/etc/passwd.txt @../../etc/shadow.txt @..") == []


async def test_C3_imports_end_at_a_depth_a_number_and_in_a_circle() -> None:
    asked: list[str] = []

    async def read(paths: Sequence[str]) -> dict[str, str]:
        asked.extend(paths)
        return {path: f"{path} @{path}x.md @AGENTS.md" for path in paths if "missing" not in path}

    found = await with_imports({"AGENTS.md": "root @a.md @missing.md"}, read)
    assert found["AGENTS.md"].startswith("root @a.md")
    assert "a.md @a.mdx.md" in found["AGENTS.md"]
    assert len(asked) <= MOST_IMPORTS
    assert len(asked) == 1 + MOST_DEPTH
    many = await with_imports({"AGENTS.md": " ".join(f"@f{n}.md" for n in range(99))}, read)
    assert many["AGENTS.md"].count("\n\n") == MOST_IMPORTS


def test_guidelines_share_the_room_and_are_cut_at_lines() -> None:
    found = dict(trimmed([("a", "line\n" * 100), ("b", "short"), ("c", "")], 205))
    assert found["b"] == "short"
    assert len(found["a"]) <= 200
    assert set(found["a"].split("\n")) == {"line"}
    assert sum(map(len, found.values())) <= 205
    assert "c" not in found
    assert trimmed([], 9) == []


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("AGENTS.md", True),
        ("src/AGENTS.md", True),
        ("src/CONTRIBUTING.md", False),
        (".cursor/rules/a.mdc", True),
        (".coderabbit.yaml", True),
        (".github/CODEOWNERS", True),
        ("src/.coderabbit.yaml", False),
        ("REVIEW.md", True),
        ("docs/REVIEW.md", False),
        (".claude/skills/tea/SKILL.md", True),
        ("skills/tea/SKILL.md", True),
        ("skills/tea/deep/SKILL.md", False),
        ("src/skills/tea/SKILL.md", False),
        ("src/a.py", False),
    ],
)
def test_C1_files_that_would_be_read_are_known_by_their_names(path: str, read: bool) -> None:
    assert speaks(path, NAMED) is read


def test_the_last_rule_of_codeowners_that_matches_counts() -> None:
    text = "# all\n* @octo/all\n/src/ @ann @bob # two\n*.md\n!x @eve\n/src/x.py a@example.com <script>\n"
    assert owners(text, ["src/a.py", "lib/b.py"], wanted) == ["ann", "bob", "octo/all"]
    assert owners(text, ["README.md"], wanted) == []
    assert owners(text, ["src/x.py"], wanted) == []


def test_what_is_said_about_reviews_is_the_last_to_be_cut() -> None:
    text = "# Build\nmake\n## Code review\nNo prints.\n### How\nAsk.\n## Ship\n```\n# review\n```\nlast"
    first = review_first(text)
    assert first.startswith("## Code review\nNo prints.\n### How\nAsk.\n# Build\nmake")
    assert sorted(first.split("\n")) == sorted(text.split("\n"))
    assert first.endswith("```\n# review\n```\nlast")
    assert dict(trimmed([("AGENTS.md", review_first("x\n" * 900 + "# Review\nNo prints.\n"))], 100))[
        "AGENTS.md"
    ].startswith("# Review\nNo prints.")
    assert review_first("# Preview\nx") == "# Preview\nx"
