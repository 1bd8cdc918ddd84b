"""`hob import-config`: another reviewer's settings as a hob.yml, and what became of each key."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.framework import hob
from bot.cli.import_config import files
from bot.core.errors import UserError
from bot.core.settings_merge import plain
from bot.github import hobyml, other_reviewers
from bot.github.import_rules import CODERABBIT, FILES, GREPTILE, KODUS, PR_AGENT, import_file
from bot.github.imported import ImportedSettings, as_hobyml, read_back

PR_AGENT_TOML = """
[config]
model = "gpt-5"
response_language = "pt-BR"
ignore_pr_title = ["^\\\\[Auto\\\\]", "^Bump .*", "(a|b)+"]
ignore_pr_authors = ["dependabot[bot]"]
ignore_pr_labels = ["skip"]
[github_app]
pr_commands = ["/describe --pr_description.final_update_message=false", "/review", "/improve"]
handle_push_trigger = true
feedback_on_draft_pr = true
[pr_reviewer]
num_max_findings = 5
require_tests_review = true
extra_instructions = "Look at locks."
[pr_code_suggestions]
num_code_suggestions = 4
[ignore]
glob = ["*.lock", "vendor/**"]
regex = [".*_pb2\\\\.py"]
"""
CODERABBIT_YAML = """
# yaml-language-server: $schema=https://coderabbit.ai/integrations/schema.v2.json
language: en-US
early_access: false
tone_instructions: Be brief.
reviews:
  profile: assertive
  request_changes_workflow: true
  high_level_summary: yes
  poem: false
  path_filters: ["!**/dist/**"]
  path_instructions:
    - {path: "src/**/*.ts", instructions: "Use the logger.\\nNever any."}
    - {path: "docs/**", instructions: ""}
  auto_review:
    enabled: true
    drafts: false
    base_branches: [develop]
    ignore_title_keywords: [WIP]
    ignore_usernames: [renovate]
    labels: ["!skip", please]
  tools:
    ruff: {enabled: false}
    gitleaks: {enabled: true}
    eslint: {enabled: true}
knowledge_base:
  code_guidelines: {filePatterns: ["**/STYLE.md", "docs/**/*.md"]}
issue_enrichment:
  labeling:
    labeling_instructions: [{label: bug, instructions: It is broken}, {label: docs}]
"""
GREPTILE_JSON = json.dumps(
    {
        "labels": ["review"],
        "strictness": 3,
        "ignorePatterns": "# generated\n*.snap\n!keep.snap\n",
        "ignoreKeywords": "rename\nlinter",
        "excludeAuthors": ["bot-a"],
        "includeBranches": ["main", "release/*"],
        "triggerOnUpdates": True,
        "summarySection": {"included": True, "collapsible": False},
        "customContext": {"rules": [{"scope": ["src/**", "lib/**"], "rule": "No print."}]},
    }
)
KODUS_YML = """
version: '1.2'
automatedReviewActive: false
ignorePaths: ["yarn.lock"]
ignoredTitleKeywords: [WIP]
pullRequestApprovalActive: true
suggestionControl: {maxSuggestions: 9, severityLevelFilter: high}
"""


def imported(*sources: tuple[str, str]) -> ImportedSettings:
    found = ImportedSettings()
    for path, text in sources:
        import_file(found, path, text)
    found.fit()
    read_back(as_hobyml(found.values, ["Made."]), found.values)
    return found


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(hob, ["import-config", "--folder", str(folder), *arguments])


def put(folder: Path, path: str, text: str) -> Path:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)
    return folder / path


def test_pr_agents_settings_mean_the_same_here() -> None:
    found = imported((".pr_agent.toml", PR_AGENT_TOML))
    assert found.values == {
        "language": "pt-BR",
        "review.auto": True,
        "review.drafts": True,
        "review.walkthrough": True,
        "review.ignore_title_keywords": ["[Auto]", "Bump"],
        "review.ignore_authors": ["dependabot[bot]"],
        "review.max_comments": 5,
        "review.instructions": [{"path": "**", "text": "Look at locks."}],
        "review.paths": ["!*.lock", "!vendor/**"],
    }
    fates = {one.key: one.fate for one in found.keys}
    assert fates["pr_reviewer.num_max_findings"] == "carried"
    assert fates["config.ignore_pr_title"] == fates["github_app.pr_commands"] == "differs"
    assert {key for key, fate in fates.items() if fate == "dropped"} == {
        "config.model",
        "config.ignore_pr_labels",
        "github_app.handle_push_trigger",
        "pr_reviewer.require_tests_review",
        "pr_code_suggestions.num_code_suggestions",
        "ignore.regex",
    }
    assert all(one.why for one in found.keys if one.fate != "carried")


def test_coderabbits_settings_mean_the_same_here() -> None:
    found = imported((".coderabbit.yaml", CODERABBIT_YAML))
    assert found.values == {
        "language": "en-US",
        "review.instructions": [
            {"path": "**", "text": "Be brief."},
            {"path": "src/**/*.ts", "text": "Use the logger.\nNever any."},
        ],
        "review.min_severity": "nit",
        "review.request_changes": True,
        "review.walkthrough": True,
        "review.paths": ["!**/dist/**"],
        "review.auto": True,
        "review.drafts": False,
        "review.ignore_title_keywords": ["WIP"],
        "review.ignore_authors": ["renovate"],
        "review.labels": ["please"],
        "review.checks.ruff": False,
        "review.checks.secrets": True,
        "review.guidelines": ["AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md", "STYLE.md"],
        "issues.labels": ["bug", "docs"],
        "issues.label_hints": {"bug": "It is broken"},
    }
    why = {one.key: one.why for one in found.keys}
    assert "never approves" in why["reviews.request_changes_workflow"]
    assert why["reviews.tools.eslint.enabled"] == "Hob does not run it"
    assert "default branch" in why["reviews.auto_review.base_branches"]


def test_greptiles_and_kodus_settings_mean_the_same_here() -> None:
    assert imported(("greptile.json", GREPTILE_JSON)).values == {
        "review.labels": ["review"],
        "review.min_severity": "major",
        "review.paths": ["!*.snap", "keep.snap"],
        "review.ignore_title_keywords": ["rename", "linter"],
        "review.ignore_authors": ["bot-a"],
        "review.base_branches": ["main"],
        "review.walkthrough": True,
        "review.instructions": [
            {"path": "src/**", "text": "No print."},
            {"path": "lib/**", "text": "No print."},
        ],
    }
    assert imported(("kodus-config.yml", KODUS_YML)).values == {
        "review.auto": False,
        "review.paths": ["!yarn.lock"],
        "review.ignore_title_keywords": ["WIP"],
        "review.max_comments": 9,
        "review.min_severity": "major",
    }


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        (".pr_agent.toml", "[github_app]\npr_commands = []", {"review.auto": False}),
        (".pr_agent.toml", "[CONFIG]\nRESPONSE_LANGUAGE = 'de'", {"language": "de"}),
        (".pr_agent.toml", "config.response_language = 'klingon!'", {}),
        (".pr_agent.toml", "[pr_reviewer]\nnum_max_findings = 500", {"review.max_comments": 50}),
        (".pr_agent.toml", "[pr_reviewer]\nnum_max_findings = 0", {}),
        (".pr_agent.toml", "[pr_reviewer]\nnum_max_findings = true", {}),
        (
            ".pr_agent.toml",
            "[config]\nallow_only_specific_folders = ['src', '/lib/']",
            {"review.paths": ["/src/**", "/lib/**"]},
        ),
        (".coderabbit.yml", "reviews: {auto_review: {base_branches: ['.*']}}", {"review.base_branches": []}),
        (".coderabbit.yml", "reviews: {auto_review: {enabled: maybe}}", {}),
        (".coderabbit.yml", "reviews: {auto_review: {labels: ['!a']}}", {}),
        (".coderabbit.yml", "reviews: {path_instructions: [a, 1, {path: x}]}", {}),
        (".coderabbit.yml", "reviews: [a, b]", {}),
        (".coderabbit.yml", "reviews: {profile: quiet}", {}),
        ("greptile.json", '{"skipReview": "AUTOMATIC"}', {"review.auto": False}),
        ("greptile.json", '{"strictness": "loud", "ignorePatterns": ""}', {}),
    ],
)
def test_values_of_many_shapes_are_carried_over_or_named(
    path: str, text: str, values: dict[str, Any]
) -> None:
    found = imported((path, text))
    assert found.values == values
    assert len(found.keys) > 0


def test_what_hob_honours_of_a_file_it_finds_is_carried_over_alike() -> None:
    for path, text in ((".pr_agent.toml", PR_AGENT_TOML), (".coderabbit.yaml", CODERABBIT_YAML)):
        honoured, _ = other_reviewers.read(path, text)
        carried = imported((path, text)).values
        for name, value in honoured.items():
            kept = carried[name]
            assert kept == plain(value) or set(map(str, plain(value))) <= set(map(str, kept)), name


def test_of_two_reviewers_lists_are_put_together_and_the_first_value_counts() -> None:
    found = imported((".pr_agent.toml", PR_AGENT_TOML), (".coderabbit.yaml", CODERABBIT_YAML))
    assert found.values["review.paths"] == ["!*.lock", "!vendor/**", "!**/dist/**"]
    assert found.values["language"] == "pt-BR"
    assert "language is 'pt-BR' already" in {one.key: one.why for one in found.keys}["language"]


def test_a_long_instruction_is_kept_whole_in_parts() -> None:
    text = "\n".join(f"Rule {number}: " + "x" * 90 for number in range(60))
    found = imported((".pr_agent.toml", f"[pr_reviewer]\nextra_instructions = '''{text}'''"))
    parts = [one["text"] for one in found.values["review.instructions"]]
    assert "\n".join(parts) == text
    assert all(len(part) <= 2000 for part in parts)


def test_instructions_beyond_what_hob_reads_are_left_out_and_counted() -> None:
    rules = [{"scope": [f"src/{number}/**"], "rule": "ü" * 550} for number in range(100)]
    found = imported(("greptile.json", json.dumps({"rules": rules}, ensure_ascii=False)))
    assert 0 < len(found.values["review.instructions"]) < 100
    assert "64 KB" in found.keys[-1].why


def test_copilots_instructions_are_read_where_they_are_or_copied_when_named(tmp_path: Path) -> None:
    path = put(
        tmp_path, ".github/instructions/py.instructions.md", '---\napplyTo: "**/*.py"\n---\nNo print.\n'
    )
    put(tmp_path, ".github/copilot-instructions.md", "Be kind.")
    told = json.loads(run(tmp_path, "--json").stdout)
    assert told["settings"] == {}
    assert [one["why"].partition(",")[0] for one in told["keys"]] == ["Hob reads this file where it is"] * 2
    named = json.loads(run(tmp_path, str(path), "--json").stdout)
    assert named["settings"] == {"review.instructions": [{"path": "**/*.py", "text": "No print."}]}
    assert "there is nothing to write" in run(tmp_path, "--write").stderr
    assert not (tmp_path / files.TARGET).exists()


def test_the_file_is_written_once_and_replaced_only_by_force(tmp_path: Path) -> None:
    put(tmp_path, ".coderabbit.yaml", CODERABBIT_YAML)
    shown = run(tmp_path)
    assert shown.exit_code == 0
    assert not (tmp_path / ".github").exists()
    assert run(tmp_path, "--write").exit_code == 0
    target = tmp_path / files.TARGET
    assert target.read_text() == shown.stdout == run(tmp_path, "-o", "-").stdout
    values, complaints = hobyml.said(target.read_text())
    assert complaints == ()
    assert values["review.min_severity"] == "nit"
    target.write_text("language: de\n")
    again = run(tmp_path, "--write")
    assert isinstance(again.exception, UserError)
    assert "stays as it is" in str(again.exception)
    assert target.read_text() == "language: de\n"
    assert run(tmp_path, "--write", "--force").exit_code == 0
    assert target.read_text() == shown.stdout
    assert [one.name for one in target.parent.iterdir()] == ["hob.yml"]
    other = tmp_path / "other.yml"
    assert run(tmp_path, "-o", str(other)).exit_code == 0
    assert isinstance(run(tmp_path, "-o", str(other)).exception, UserError)


def test_the_repository_is_found_from_a_folder_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, ".coderabbit.yaml", "language: de")
    put(tmp_path, ".git/HEAD", "")
    monkeypatch.chdir(put(tmp_path, "src/tea/x.py", "").parent)
    assert CliRunner().invoke(hob, ["import-config", "--write"]).exit_code == 0
    assert "language: de" in (tmp_path / files.TARGET).read_text()


def test_beside_a_file_that_is_named_its_own_repository_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = put(tmp_path, "tea/.coderabbit.yaml", "language: de")
    put(tmp_path, "tea/.git/HEAD", "")
    loose = put(tmp_path, "loose.toml", "config.response_language = 'fr'")
    monkeypatch.chdir(put(tmp_path, "coffee/.git/HEAD", "").parent.parent)
    for path, repo in ((named, "tea"), (loose, "coffee")):
        assert CliRunner().invoke(hob, ["import-config", str(path), "--write"]).exit_code == 0
        assert (tmp_path / repo / files.TARGET).is_file()


def test_text_with_tabs_and_blanks_at_the_ends_of_lines_stays_readable() -> None:
    found = imported(("x.toml", '[pr_reviewer]\r\nextra_instructions = """\ta  \r\n\r\nb\t"""'))
    assert found.values["review.instructions"][0]["text"] == "a\n\nb"
    assert "text: |-\n      a\n\n      b" in as_hobyml(found.values)


def test_a_folder_without_any_of_them_says_what_is_known(tmp_path: Path) -> None:
    wrong = run(tmp_path).exception
    assert isinstance(wrong, UserError)
    assert ".coderabbit.yaml" in wrong.hint
    assert isinstance(run(tmp_path, str(put(tmp_path, "notes.txt", "x"))).exception, UserError)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
HOSTILE = [
    (".coderabbit.yaml", BOMB),
    (".coderabbit.yaml", "[" * 10_000),
    (".coderabbit.yaml", "a: !!python/object/apply:os.system [id]"),
    (".coderabbit.yaml", "just words"),
    (".coderabbit.yaml", "x" * 70_000),
    (".pr_agent.toml", "a" + ".a" * 5_000 + " = 1"),
    (".pr_agent.toml", "x = " + "[" * 5_000),
    (".pr_agent.toml", "= nothing"),
    ("greptile.json", '{"a":' * 9_000),
    ("greptile.json", "[" * 30_000),
    ("greptile.json", "1" * 10_000),
    ("kodus-config.yml", "\x00"),
]


@pytest.mark.parametrize(("path", "text"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_refused_or_says_nothing(tmp_path: Path, path: str, text: str) -> None:
    put(tmp_path, path, text)
    done = run(tmp_path, "--write")
    if not isinstance(done.exception, UserError):
        assert done.exit_code == 0
        assert "nothing to write" in done.stderr
    assert not (tmp_path / files.TARGET).exists()


@pytest.mark.parametrize("shape", ["file", "folder", "target", "fifo", "latin"])
def test_links_and_what_is_no_file_are_neither_read_nor_written_through(tmp_path: Path, shape: str) -> None:
    repo, outside = tmp_path / "repo", put(tmp_path, "outside/secret.yaml", CODERABBIT_YAML)
    repo.mkdir()
    if shape == "file":
        (repo / ".coderabbit.yaml").symlink_to(outside)
    elif shape == "folder":
        put(tmp_path, "outside/copilot-instructions.md", "x")
        (repo / ".github").symlink_to(outside.parent)
    elif shape == "target":
        put(repo, ".coderabbit.yaml", CODERABBIT_YAML)
        (repo / ".github").symlink_to(outside.parent)
    elif shape == "fifo":
        os.mkfifo(repo / ".coderabbit.yaml")
    else:
        (repo / ".coderabbit.yaml").write_bytes(b"language: d\xe9")
    done = run(repo, "--write", "--force")
    assert isinstance(done.exception, UserError), done.output
    assert not (outside.parent / "hob.yml").exists()


def test_a_link_at_hob_yml_is_replaced_and_what_it_points_at_stays(tmp_path: Path) -> None:
    put(tmp_path, ".coderabbit.yaml", "language: de")
    precious = put(tmp_path, "precious", "kept")
    put(tmp_path, ".github/x", "").parent.joinpath("hob.yml").symlink_to(precious)
    assert isinstance(run(tmp_path, "--write").exception, UserError)
    assert run(tmp_path, "--write", "--force").exit_code == 0
    assert precious.read_text() == "kept"
    assert "language: de" in (tmp_path / files.TARGET).read_text()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=12)
    | st.sampled_from(["*", "!a", "de", "a\nb"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "instructions", "scope", "rule", "label"]) | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
RULES = {path: rules for path, rules in FILES.items() if path.endswith((".json", ".yaml", "config.yml"))}


@given(st.data())
def test_whatever_their_keys_hold_the_hob_yml_is_what_hob_reads(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(RULES)))
    tree: dict[str, Any] = {}
    for name in data.draw(st.lists(st.sampled_from(sorted(RULES[path])), max_size=5, unique=True)):
        *above, last = name.removesuffix(".*").split(".")
        inner: Any = tree
        for part in above:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner[last] = data.draw(ANYTHING)
    text = json.dumps(tree) if path.endswith(".json") else yaml.safe_dump(tree)
    found = imported((path, text))
    assert all(one.fate != "dropped" or one.why for one in found.keys)


def test_every_key_of_a_table_of_rules_is_written_in_small_letters() -> None:
    for rules in (PR_AGENT, CODERABBIT, GREPTILE, KODUS):
        assert [name for name in rules if name != name.lower()] == []
