"""Every public function that takes text from outside is given hostile text, without anybody having to think
of it: the modules that read such text are walked, and what they define is called with each shape.

Smaller texts than in `tests.test_growth`, whose table has the readers that need more than text to be called.
"""

import ast
import importlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import bot
from bot.agents.convention import plain
from bot.agents.review.training import DecidedPoint, drafted
from bot.checks import linter
from bot.checks.lint_output import JsonPlaces, by_lines, by_places, sarif
from bot.checks.scripts import scripts_of
from bot.context import TOOLS
from bot.core.adapters import Adapter, in_front
from bot.core.addresses import refusal
from bot.core.ci_log import excerpt, stands
from bot.core.ci_rounds import state_of
from bot.core.commands import command_in
from bot.core.conventions import Count, Evidence, Example, evidence_of, learned
from bot.core.diff import FileDiff, parse_patch
from bot.core.diff.anchor import anchor, anchors, occurs
from bot.core.file_kinds import is_test
from bot.core.intents import Intent, OfferedCommand, by_rules, checked
from bot.core.issue_forms import FormField, IssueForm, filled
from bot.core.knowledge import KnownIssue
from bot.core.memory import Lesson
from bot.core.merge_checks import lost, parses, unsound
from bot.core.merge_proof import holds
from bot.core.merge_rules import proved
from bot.core.merging import Conflict, ConflictHunk
from bot.core.past_changes import JudgedChange, PastChange, PastRemark, judged, kept_lines
from bot.core.quality_gate import GateResult, GateRuns, PatchedTests, needed, patched_tests, verdict
from bot.core.recipes import NAME, path_of
from bot.core.records import of_commit, of_issue
from bot.core.refs import Login
from bot.core.since import since
from bot.core.skills import fitting
from bot.core.skills import read as read_skill
from bot.core.skip_rules import without_lines
from bot.core.suggestion import change
from bot.core.suite_runs import SuiteRun
from bot.core.toml_text import edited
from bot.core.work_graph import work_graph
from bot.core.work_items import WorkItem, WorkRef, edges_of
from bot.github import hobyml, recipes
from bot.github.import_rules import PR_AGENT, import_file
from bot.github.imported import ImportedSettings, as_hobyml, instructions, plain_words, rule_for
from bot.github.other_reviewers import leaves
from bot.github.refusals import read_one
from bot.inference.runners.tools import call, meant
from bot.inference.runners.wire import number
from bot.inference.structured_output import understood
from bot.knowledge.fixes import section_naming
from bot.knowledge.issues import agreement
from bot.knowledge.merge_texts import Sides, longest_mark, sides
from bot.knowledge.parsing.passages import parse
from bot.patterns import wanted
from bot.yamlnodes import UnreadableError
from tests.agents.facts import pull_request
from tests.test_growth import LONGEST, UNITS, Told, patch_of, seconds

SIZE = 8_000
SMALL_ENOUGH = 0.01
"""Seconds for that: a reader that takes less takes half a second for 60 kB at most, were it a square."""
SUSPECT = 5.5
"""Times as long as for a quarter of it: less is not tried with more."""
GROWTH = 9.0
"""Times as long for four times the text: 16 is what a square would take."""
ROOT = Path(bot.__file__).parent
WALKED = (
    "agents/citing.py", "agents/review/judging.py", "agents/review/training.py", "core/redacting.py",
    "core/tuning.py", "checks/**/*.py", "core/ci*.py", "core/credentials/*.py",
    "core/diff/*.py", "core/report/*.py", "core/addresses.py", "core/markdown_blocks.py",
    "core/check_input.py", "core/adapter*.py", "core/training.py",
    "core/named_files.py", "core/issue_forms.py", "core/security_reports.py", "core/pictures.py",
    "github/issue_forms.py", "core/commands.py", "core/context_packing.py", "core/pr_description.py",
    "core/check_input.py", "core/intents.py", "core/since.py", "core/plan_text.py",
    "core/commands.py", "core/context_packing.py", "core/pr_description.py",
    "core/incremental_review.py", "core/finding_outcome.py", "core/findings.py", "core/folding.py",
    "core/guidelines.py", "core/settings_schema.py", "core/labels.py", "core/mail.py", "core/memory.py",
    "core/skills.py", "core/conventions.py", "core/past_changes.py", "agents/convention.py",
    "github/past_pulls.py", "core/mentions.py", "core/duplicates.py", "core/work_*.py",
    "core/dependency_questions.py",
    "core/records.py", "core/quality_gate.py", "core/layout.py",
    "core/occurrence.py", "core/pathnames.py", "core/skip_rules.py", "core/effect_history.py",
    "core/concurrency.py", "core/source.py", "core/code_location.py", "core/suggestion.py",
    "core/merge_*.py", "core/text.py", "core/toml_text.py", "core/code_analysis.py", "core/review_chunks.py",
    "pull_request_facts.py", "github/hobyml.py", "github/payloads.py", "effects/*.py",
    "github/recipes.py", "core/recipes.py",
    "github/refusals.py", "github/other_reviewers.py", "github/import*.py", "github/idempotency_marker.py",
    "github/webhook_schema.py", "inference/continuation.py", "inference/lenient_json.py",
    "inference/structured_output.py", "inference/listening.py", "inference/runners/*.py",
    "knowledge/**/*.py", "log.py", "prompting/files.py", "sanitise/*.py", "yamlnodes.py",
)  # fmt: skip
IN_THE_TABLE = {
    "core.commands.parse_commands", "core.guidelines.owners", "core.mail.separator",
    "inference.structured_output.read", "sanitise.harmless", "sanitise.leaks.leaks",
    "sanitise.tree.rewritten", "sanitise.words.pieces",
}  # fmt: skip
"""By `tests.test_growth`, with what else they need, or with what is nobody else's to choose."""
EXCLUDED = {
    "what is asked is Hob's own": {
        "checks.programs.beside_hob", "checks.programs.find", "core.credentials.issued.compiled",
        "core.text.day", "core.tuning.data_digest",
        "core.settings_schema.find", "core.report.sarif.as_sarif", "inference.runners.anthropic.headers",
        "inference.runners.server_quirks.in_prompt", "inference.runners.openai.base_url",
        "inference.runners.streams.count_of", "inference.runners.streams.dict_of",
        "inference.runners.streams.first_of", "inference.runners.wire.bearer",
        "inference.runners.mlx.fitting",
        "inference.runners.wire.client", "log.bound",
        "inference.runners.tools.call", "inference.runners.tools.meant",
        "log.hide", "log.setup", "prompting.files.load", "prompting.files.parse",
        "prompting.files.used_names", "core.code_analysis.no_lint",
    },
    "it asks a database, git, GitHub or a model": {

        "knowledge.fixes.fixing_commit", "knowledge.merges.completed", "knowledge.merged_tree.committed",
        "core.guidelines.gathered", "core.guidelines.with_imports", "agents.convention.worded",
        "inference.runners.streams.objects", "inference.runners.streams.streaming",
        "inference.runners.wire.ask", "knowledge.search.change_context.around", "knowledge.fixes.fix",
        "knowledge.embedding.near_chunks", "knowledge.embedding.near_issues",
        "knowledge.search.records.records",
        "knowledge.search.signals.gather", "knowledge.search.signals.nothing_near",
        "knowledge.search.signals.near_commits", "knowledge.search.signals.rare_terms",
        "knowledge.fetching.git", "knowledge.fetching.remote", "knowledge.indexing.put_blobs",
        "knowledge.indexing.update", "knowledge.issues.nothing_near", "knowledge.manager.take_issues",
        "knowledge.local.search_beside", "knowledge.search.excerpts.excerpts",
        "knowledge.search.excerpts.with_lines",
        "knowledge.search.excerpts.texts", "knowledge.search.snapshot.snapshot_at", "checks.run",
        "checks.linter.judge", "checks.linter.run",
    },
    "it goes once over what others have parsed": {
        "core.adapter_records.evaluation_of",
        "core.work_answers.milestone_named", "core.records.chosen_releases", "core.ci_session.unpushed",
        "checks.expressions.faults", "checks.reports.lines_of", "checks.ruff_fixes.replaced",
        "checks.linter.finding",
        "core.incremental_review.new_since", "core.finding_outcome.outcome", "core.finding_outcome.lines_of",
        "core.findings.also_at", "core.findings.choose", "core.guidelines.guideline_paths",
        "core.recipes.files_of", "core.recipes.listed", "core.skills.folders_in",
        "core.guidelines.symlinks", "core.labels.status_labels", "core.named_files.standing",
        "core.memory.dismissal", "core.memory.dismissed_by", "core.memory.learned",
        "core.conventions.counted", "core.conventions.lesson_of", "core.conventions.tested",
        "agents.citing.told", "core.context_packing.pack_excerpts",
        "core.context_packing.written", "core.effect_history.of_thread",
        "core.effect_history.standing_comment",
        "core.review_chunks.around", "pull_request_facts.select",
        "inference.runners.vectors", "knowledge.edges.of_commit", "knowledge.edges.of_file",
        "knowledge.search.signals.named_worth", "knowledge.graph.issues_in", "knowledge.indexing.plan",
        "knowledge.ownership.together", "knowledge.search.ranking.faded_sum",
        "knowledge.search.ranking.from_history", "knowledge.search.ranking.from_names",
        "knowledge.search.ranking.from_recent", "knowledge.search.ranking.functions",
        "knowledge.search.ranking.rarest",
        "knowledge.parsing.symbols.definitions", "knowledge.parsing.symbols.imports",
        "knowledge.parsing.symbols.references", "knowledge.search.explanations.of_file",
        "prompting.files.render", "prompting.files.rendered",
    },
}  # fmt: skip
"""Why -> those that are not called."""


def file_of(said: str) -> FileDiff:
    return FileDiff("a.py", "modified", parse_patch(patch_of(said[:4_000])))


ENDINGS = ("a.ts", "a.md")


def conflict_of(said: str, path: str = "a.py") -> Conflict:
    return Conflict(
        path, parts=(said, ConflictHunk("", said, f"{said}x\n")), base=said, ours=said, theirs=said
    )


def changed_toml(said: str) -> str:
    with suppress(ValueError):
        return edited(f"[github]\napp_id = 1  # {said}", {"github": {"app_id": 2, "app_slug": said}})
    with suppress(ValueError):
        return edited(said, {"github": {"app_id": 2}})
    return ""


def gated(said: str) -> GateResult:
    run = SuiteRun(frozenset({said}), frozenset(said.split()), 1, said, said[:100], "", said)
    return verdict(GateRuns(run, run, run, run), PatchedTests(True, True, (said,)))


def past_of(said: str) -> list[JudgedChange]:
    """Ten changes of its lines, of which every other was objected to."""
    lines = kept_lines(("a.py", line) for line in said.split("\n"))
    remarks = tuple(PastRemark(path, line, said, "ann", "") for path, line in lines)
    made = [PastChange(f"#{n}", "", said, n, lines, lines, remarks if n % 2 else ()) for n in range(10)]
    return judged(made)


def evidence_with(said: str) -> Evidence:
    shown = (Example("", "a.py", said, said),)
    return Evidence("*.py", ("print",), "remark", Count(1, 1), Count(1, 1), shown, shown)


def imported_of(said: str) -> None:
    for path in ("x.instructions.md", ".pr_agent.toml", ".coderabbit.yaml", "greptile.json"):
        with suppress(UnreadableError):
            import_file(ImportedSettings(), path, said)


CALLS: dict[str, Callable[[str], Any]] = {
    "checks.lint_output.by_lines": lambda said: list(
        by_lines(f"0.yaml:1:1: [error] {said}".encode("utf-8", "replace"), linter.known("yamllint").pattern)
    ),
    "checks.lint_output.by_places": lambda said: list(
        by_places(json.dumps([{"path": said, "line": 1, "rule": said}]).encode(), JsonPlaces("*"))
    ),
    "checks.lint_output.sarif": lambda said: list(
        sarif(json.dumps({"runs": [{"results": [{"ruleId": said, "message": {"text": said}}]}]}).encode())
    ),
    "checks.scripts.scripts_of": lambda said: scripts_of(
        ".github/workflows/a.yml",
        f"jobs:\n a:\n  steps:\n  - run: |\n     {said.replace(chr(10), chr(10) + 5 * ' ')}",
    ),
    "core.ci_log.excerpt": lambda said: excerpt(said, lambda lines: lines),
    "core.ci_log.stands": lambda said: stands(said[:400], [said] * 4),
    "core.ci_rounds.state_of": lambda said: state_of({said[:99]: said}),
    "core.commands.command_in": lambda said: command_in(said, NAME),
    "github.import_rules.import_file": lambda said: imported_of(said),
    "github.imported.read_back": lambda said: hobyml.said(said),
    "github.imported.instructions": lambda said: instructions(["**"], said),
    "github.imported.rule_for": lambda said: rule_for(said, PR_AGENT),
    "github.imported.plain_words": lambda said: plain_words([*said.split("\n"), "tea"]),
    "github.imported.as_hobyml": lambda said: as_hobyml(
        {"review.guidelines": said.split("\n")[:100]}, [said]
    ),
    "github.other_reviewers.leaves": lambda said: list(leaves(dict.fromkeys(said.split("\n")))),
    "inference.runners.tools.call": lambda said: call(said[:99], said, ["read_file"]),
    "inference.runners.tools.meant": lambda said: meant(said, ["read_file", "run_tests"]),
    "core.quality_gate.patched_tests": lambda said: patched_tests({}, {"test_a.py": said}, is_test),
    "core.quality_gate.needed": lambda said: needed(
        GateRuns(SuiteRun(output=said)), PatchedTests(True, True)
    ),
    "core.quality_gate.verdict": gated,
    "core.toml_text.edited": lambda said: changed_toml(said),
    "core.addresses.refusal": lambda said: refusal(said, online=True, literal=True),
    "core.diff.anchor.anchor": lambda said: anchor(file_of(said), said),
    "core.diff.anchor.anchors": lambda said: anchors(file_of(said), said),
    "core.diff.anchor.occurs": lambda said: occurs(file_of(said), said),
    "core.skills.fitting": lambda said: fitting(
        [read_skill("skills/x/SKILL.md", f"---\ndescription: {said}\n---\n{said}")], said.split("\n"), wanted
    ),
    "core.conventions.learned": lambda said: learned(past_of(said)),
    "core.conventions.evidence_of": lambda said: evidence_of(
        Lesson("candidate", "x", Login("a"), evidence=said)
    ),
    "core.adapters.in_front": lambda said: in_front(said.split(), [Adapter(said, said, said, 1, said)]),
    "agents.review.training.drafted": lambda said: drafted(
        pull_request({"a.py": said[:4_000]}), [DecidedPoint("remark", "a.py", 1, 9_999, said, said)], [said]
    ),
    "agents.convention.plain": lambda said: plain(evidence_with(said)),
    "core.issue_forms.filled": lambda said: filled(said, [IssueForm("a", (FormField(said[:99]),))]),
    "github.recipes.read": lambda said: recipes.read("tidy", said, {}, lambda _: True),
    "github.recipes.read_all": lambda said: recipes.read_all(
        {path_of(said[:99]): said, path_of("tidy"): f"---\n{said[:3_000]}\n---\nx"}, (), {}, lambda _: True
    ),
    "core.intents.by_rules": lambda said: by_rules(said, (OfferedCommand("fix", said),)),
    "core.intents.checked": lambda said: checked(
        Intent("fix", said[:150]), said, (OfferedCommand("fix", ""),)
    ),
    "core.since.since": lambda said: since(said, 1_795_000_000.0),
    "core.records.of_commit": lambda said: of_commit("1a2b3c4", said, 1.0, said, [said]),
    "core.records.of_issue": lambda said: of_issue(1, said, [said], said, [(said, said)] * 9),
    "core.merge_checks.lost": lambda said: [
        lost(conflict_of(said), said, TOOLS),
        unsound(conflict_of(said), TOOLS),
        *(proved(conflict_of(said, one), 0, TOOLS) for one in ENDINGS),
    ],
    "core.merge_checks.parses": lambda said: [parses(one, said, TOOLS) for one in ("a.json", "a.toml")],
    "core.merge_proof.holds": lambda said: holds(ConflictHunk(said[:99], said, said[:-9]), said[5:]),
    "core.skip_rules.without_lines": lambda said: without_lines(file_of(said), said),
    "core.suggestion.change": lambda said: change(file_of(said), said, 1, 2, said),
    "core.work_graph.work_graph": lambda said: work_graph([WorkItem(1, body=said)], "octo/tea").cycles(),
    "core.work_items.edges_of": lambda said: list(edges_of({WorkRef(1): WorkItem(1, body=said)}, "octo/tea")),
    "github.refusals.read_one": lambda said: read_one({"message": said, "type": said, "code": said}),
    "inference.structured_output.understood": lambda said: understood(Told, "So: {" + said),
    "inference.runners.wire.number": lambda said: number((r"maximum context length is (\d+)",), said),
    "knowledge.fixes.section_naming": lambda said: section_naming(said, {12}),
    "knowledge.issues.agreement": lambda said: agreement(
        Counter(["kettle"]), Counter({"kettle": 9}), KnownIssue(1, "issue", "open", "Kettle", said, "ann")
    ),
    "knowledge.merge_texts.sides": lambda said: [
        sides([said.encode()] * 3),
        longest_mark(Sides(said, said, said, "\n", True)),
    ],
    "knowledge.parsing.trees.tree_of": lambda said: parse("a.py", said.encode()),
}
"""Those that need more than text."""


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(module.name, definition) of what is public at the top of the walked modules."""
    files = sorted({file for pattern in WALKED for file in ROOT.glob(pattern)})
    for file in files:
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(file.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            yield f"{module}.{node.name}", node


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]


def _takes_text(one: ast.arg) -> bool:
    told = ast.unparse(one.annotation) if one.annotation else ""
    names = {part.id for part in ast.walk(ast.parse(told or "0")) if isinstance(part, ast.Name)}
    return bool(names & {"str", "bytes"}) and not told.startswith(("Callable", "dict[str, Any]"))


GIVEN: dict[str, Callable[[str], Any]] = {
    "str": lambda said: said,
    "str | None": lambda said: said,
    "str | bytes": lambda said: said,
    "bytes": lambda said: said.encode(),
    "Sequence[str]": lambda said: said.split("\n"),
    "list[str]": lambda said: said.split("\n"),
    "tuple[str, ...]": lambda said: tuple(said.split("\n")),
    "Iterable[str]": lambda said: said.split("\n"),
    "frozenset[str]": lambda said: frozenset(said.split("\n")),
    "Mapping[str, str]": lambda said: {"a.py": said},
    "Sequence[tuple[str, str]]": lambda said: [("a.py", said)],
    "int": lambda _: 200,
}
"""What a parameter is given, by its annotation."""


def called(name: str) -> Callable[[str], Any] | None:
    """The function with text in each parameter that it must have; None where one takes something else."""
    module, _, function = name.rpartition(".")
    found = getattr(importlib.import_module(f"bot.{module}"), function)
    positional, named = [], {}
    for one in inspect.signature(found).parameters.values():
        if one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        told = one.annotation if isinstance(one.annotation, str) else inspect.formatannotation(one.annotation)
        given = GIVEN.get(told.replace("collections.abc.", "").replace("typing.", ""))
        if given is None:
            return None
        if one.kind is one.KEYWORD_ONLY:
            named[one.name] = given
        else:
            positional.append(given)
    if inspect.iscoroutinefunction(found):
        return None

    def call(said: str) -> object:
        answer = found(
            *(given(said) for given in positional), **{key: given(said) for key, given in named.items()}
        )
        return list(answer) if inspect.isgenerator(answer) else answer

    return call


PUBLIC = {name for name, _ in functions()}
EVERY = {name for name, node in functions() if any(map(_takes_text, _parameters(node)))}
NOT_CALLED = {*IN_THE_TABLE, *(name for some in EXCLUDED.values() for name in some)}
READERS = {name: CALLS.get(name) or called(name) for name in sorted({*EVERY, *CALLS} - NOT_CALLED)}


def test_no_public_function_that_takes_text_is_forgotten() -> None:
    forgotten = [name for name, reader in READERS.items() if reader is None]
    assert not forgotten, "give them an entry in CALLS, or a reason in EXCLUDED"


def test_what_is_left_out_is_still_there() -> None:
    assert [pattern for pattern in WALKED if not any(ROOT.glob(pattern))] == []
    assert sorted(NOT_CALLED - EVERY) == []
    assert sorted(set(CALLS) - PUBLIC) == []  # whose text lies in a value, too


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if reader])
def test_hostile_text_costs_a_reader_no_more_than_its_length(name: str) -> None:
    reader = READERS[name]
    assert reader is not None
    seconds(reader, "warm")  # what is loaded at the first use
    for unit in UNITS:
        said = (unit * (4 * SIZE // len(unit) + 1))[: 4 * SIZE]
        small = seconds(reader, said[:SIZE])
        if small < SMALL_ENOUGH or small < SUSPECT * seconds(reader, said[: SIZE // 4]):
            continue
        small = min(small, *(seconds(reader, said[:SIZE]) for _ in range(2)))
        if small < SMALL_ENOUGH:
            continue
        whole = seconds(reader, said)
        if LONGEST > whole > GROWTH * small:  # the machine was busy, or it is so
            whole = min(whole, *(seconds(reader, said) for _ in range(3)))
        assert whole < min(GROWTH * small + 0.1, LONGEST), (
            f"{name} takes {small:.3f} s for {SIZE} and {whole:.2f} s for {4 * SIZE} characters of {unit!r}"
        )
