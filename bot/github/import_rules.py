"""What keys of other reviewers are here. Their references:

PR-Agent https://qodo-merge-docs.qodo.ai/usage-guide/configuration_options  CodeRabbit
https://docs.coderabbit.ai/reference/configuration  Greptile https://www.greptile.com/docs/code-review-bot/greptile-json
Kodus https://docs.kodus.io/how_to_use/en/code_review/configs/config_file  Copilot
https://docs.github.com/en/copilot/customizing-copilot/adding-repository-custom-instructions-for-github-copilot
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from bot.core.guidelines import scope
from bot.core.settings import ReviewSettings
from bot.core.settings_schema import BY_NAME, LANGUAGE, MOST_ITEMS, MOST_NAME
from bot.github.imported import (
    Carried,
    ImportedSettings,
    Rule,
    Rules,
    Unfit,
    Values,
    instructions,
    plain_words,
    rule_for,
    tidy,
)
from bot.github.other_reviewers import leaves, settings_tree

OPERATOR = "whoever runs Hob decides that, in hob.toml ([models], [[hosts]])"
NEVER_APPROVES = "Hob never approves"
EVERY_PUSH = "Hob reviews each push, and says nothing twice"
INSIDE = "nothing leaves this machine, and Hob keeps what `[retention]` says"
NO_OPPOSITE = "Hob can name which are reviewed, not which are not"
_LITERAL = re.compile(r"[\w\s#@:/\[\]()!,'\"-]+")
_LOGIN = re.compile(r"[A-Za-z0-9-]{1,100}(?:\[bot\])?")


def _flag(value: Any) -> bool:
    said = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    found = value if isinstance(value, bool) else said.get(str(value).lower())
    if found is None:
        raise Unfit("true or false is expected")
    return found


def _as_flag(ours: str, note: str = "", *, only: bool | None = None, otherwise: str = "") -> Rule:
    """`only`: the one value that has a counterpart; `otherwise`: why the other has none."""

    def rule(value: Any) -> Carried:
        if only is not None and _flag(value) is not only:
            raise Unfit(otherwise)
        return Carried({ours: _flag(value)}, note)

    return rule


def _as_words(ours: str, note: str = "") -> Rule:
    return lambda value: Carried({ours: plain_words(value)}, note)


def _as_lines(ours: str, note: str = "") -> Rule:
    """A text with one entry in each line."""
    return lambda value: Carried({ours: plain_words(_lines(value))}, note)


def _lines(value: Any) -> Any:
    return value.split("\n") if isinstance(value, str) else value


def _as_choice(ours: str, choices: dict[str, str], note: str = "") -> Rule:
    def rule(value: Any) -> Carried:
        if (found := choices.get(str(value).lower())) is None:
            raise Unfit(f"one of {', '.join(choices)} is expected")
        return Carried({ours: found}, note)

    return rule


def _as_count(ours: str, note: str = "") -> Rule:
    most = BY_NAME[ours].most

    def rule(value: Any) -> Carried:
        if not re.fullmatch(r"[1-9]\d{0,5}", str(value)):
            raise Unfit("a whole number over 0 is expected")
        cut = f"{most} are the most" if int(str(value)) > most else note
        return Carried({ours: min(int(str(value)), most)}, cut)

    return rule


def _as_instruction(note: str = "") -> Rule:
    return lambda value: Carried({"review.instructions": instructions(["**"], value)}, note)


def _as_scoped(path: str, text: str, note: str = "") -> Rule:
    """A list of tables, each with patterns under `path` and words under `text`."""

    def rule(value: Any) -> Carried:
        found: list[dict[str, str]] = []
        tables = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        for one in tables[:MOST_ITEMS]:
            try:
                patterns = plain_words(one[path]) if one.get(path) else ["**"]
                found += instructions(patterns, one.get(text))
            except Unfit:
                continue
        left = len(value) - len(tables) if isinstance(value, list) else 0
        if not found:
            raise Unfit("there is nothing in it")
        more = f"{len(found) - MOST_ITEMS} parts are left out" if len(found) > MOST_ITEMS else ""
        said = "; ".join(filter(None, [note, more, f"{left} entries are no tables" if left else ""]))
        return Carried({"review.instructions": found[:MOST_ITEMS]}, said)

    return rule


def _language(value: Any) -> Carried:
    if isinstance(value, str) and LANGUAGE.fullmatch(value):
        return Carried({"language": value})
    raise Unfit("a language tag such as en or pt-BR is expected")


def _left_out(value: Any) -> Carried:
    """Patterns of files that are not read, one a line or in a list; with `!` they are read after all."""
    lines = plain_words(_lines(value))
    patterns = [one for one in lines if not one.startswith("#")]
    turned = [one.removeprefix("!") if one.startswith("!") else f"!{one}" for one in patterns]
    if not (fit := [one for one in turned if 1 < len(one) <= MOST_NAME]):
        raise Unfit("there is nothing in it")
    return Carried({"review.paths": fit})


def _only_folders(value: Any) -> Carried:
    folders = [f"/{one.strip('/')}/**" for one in plain_words(value) if one.strip("/")]
    if not folders:
        raise Unfit("there is nothing in it")
    return Carried({"review.paths": [one for one in folders if len(one) <= MOST_NAME]})


def _plainly(ours: str, shape: re.Pattern[str], note: str) -> Rule:
    """Regular expressions that are plain words, when what stands around them is taken off."""

    def rule(value: Any) -> Carried:
        bare = [re.sub(r"\\([\[\]().#/-])", r"\1", _bare(one)) for one in plain_words(value)]
        fit = [one for one in bare if shape.fullmatch(one)]
        if not fit:
            raise Unfit("regular expressions; Hob compares words")
        left = len(bare) - len(fit)
        cut = note if [*map(_bare, fit)] != plain_words(value) or left else ""
        more = f"{left} are regular expressions and left out" if left else ""
        return Carried({ours: fit}, "; ".join(filter(None, [cut, more])))

    return rule


def _bare(pattern: str) -> str:
    return pattern.removeprefix("^").removeprefix(".*").removesuffix("$").removesuffix(".*").strip()


def _labels(value: Any) -> Carried:
    named = plain_words(value)
    names = [one for one in named if not one.startswith("!")]
    if not names:
        raise Unfit("labels that keep a review away; Hob has only those that ask for one")
    note = "labels with ! keep a review away there, and are left out" if names != named else ""
    return Carried({"review.labels": names}, note)


def _branches(value: Any) -> Carried:
    names = plain_words(value)
    if any(one in (".*", "*", "**", "^.*$") for one in names):
        return Carried({"review.base_branches": []})
    raise Unfit(
        "there these come beside the default branch; Hob reviews what goes into any branch, until "
        "review.base_branches names all that are meant"
    )


def _plain_branches(value: Any) -> Carried:
    named = plain_words(value)
    names = [one for one in named if not re.search(r"[!*?\\^$]", one)]
    if not names:
        raise Unfit("patterns; Hob compares names")
    return Carried({"review.base_branches": names}, "patterns are left out" if names != named else "")


def _commands(value: Any) -> Carried:
    """What PR-Agent does by itself."""
    said = " ".join(plain_words(value) if value else ())  # none: nothing is done by itself
    found: Values = {"review.auto": "review" in said or "/improve" in said}
    if "describe" in said:
        found["review.walkthrough"] = True
    return Carried(found, "a review holds suggestions too; a summary is a comment, the description stays")


def _guidelines(value: Any) -> Carried:
    names = [one.removeprefix("**/").removeprefix("/") for one in plain_words(value)]
    plain_names = [one for one in names if not re.search(r"[*?\[\]{}!]", one)]
    if not plain_names:
        raise Unfit("patterns; review.guidelines names files of the root")
    known = list(ReviewSettings().guidelines)
    note = "files of the root, beside those that Hob reads by itself"
    return Carried({"review.guidelines": [*known, *(one for one in plain_names if one not in known)]}, note)


def _label_hints(value: Any) -> Carried:
    tables = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    hints = {}
    for one in tables[:MOST_ITEMS]:
        label, hint = one.get("label"), one.get("instructions")
        if isinstance(label, str) and 0 < len(tidy(label)) <= MOST_NAME:
            hints[tidy(label)] = tidy(str(hint or "")).replace("\n", " ")[:MOST_NAME]
    if not hints:
        raise Unfit("there is nothing in it")
    told = {label: hint for label, hint in hints.items() if hint}
    found: Values = {"issues.labels": list(hints)} | ({"issues.label_hints": told} if told else {})
    return Carried(
        found,
        "hints are cut after 255 characters" if any(len(one) == MOST_NAME for one in told.values()) else "",
    )


def _manual(value: Any) -> Carried:
    if str(value).upper() == "AUTOMATIC":
        return Carried({"review.auto": False})
    raise Unfit("AUTOMATIC is expected")


def _check(name: str) -> Rule:
    return _as_flag(f"review.checks.{name}", "Hob's own rules; a configuration of the tool is not read")


_REQUESTS = _as_flag(
    "review.request_changes", f"critical and major findings alone ask for changes; {NEVER_APPROVES}"
)
_SUMMARY = _as_flag("review.walkthrough", "one collapsed comment; the description stays as it is")
_TITLES = "words anywhere in the title, in any letter case"
_SEVERITIES = {"critical": "critical", "high": "major", "medium": "minor", "low": "nit"}

PR_AGENT: Rules = {
    "config.response_language": _language,
    "config.ignore_pr_authors": _plainly("review.ignore_authors", _LOGIN, "patterns there, whole names here"),
    "config.ignore_pr_title": _plainly("review.ignore_title_keywords", _LITERAL, _TITLES),
    "config.ignore_pr_labels": NO_OPPOSITE,
    "config.ignore_pr_target_branches": NO_OPPOSITE,
    "config.ignore_repositories": "install the App on fewer repositories",
    "config.allow_only_specific_folders": _only_folders,
    "config.*": OPERATOR,
    "openai.*": OPERATOR,
    "ollama.*": OPERATOR,
    "litellm.*": OPERATOR,
    "ignore.glob": _left_out,
    "ignore.regex": "regular expressions; write them as .gitignore has patterns, into review.paths",
    "pr_reviewer.extra_instructions": _as_instruction(),
    "pr_reviewer.num_max_findings": _as_count("review.max_comments"),
    "pr_reviewer.enable_auto_approval": NEVER_APPROVES,
    "pr_code_suggestions.extra_instructions": _as_instruction("suggestions are part of a review"),
    "pr_code_suggestions.*": "suggestions are part of a review",
    "review_agent.issues_user_guidelines": _as_instruction(),
    "review_agent.compliance_user_guidelines": _as_instruction(),
    "best_practices.content": _as_instruction(),
    "github_app.pr_commands": _commands,
    "github_app.feedback_on_draft_pr": _as_flag("review.drafts"),
    "github_app.handle_push_trigger": EVERY_PUSH,
    "github_app.push_commands": EVERY_PUSH,
    "github_action_config.auto_review": _as_flag("review.auto"),
    "github_action_config.auto_describe": _SUMMARY,
}
_AUTO = "reviews.auto_review"
CODERABBIT: Rules = {
    "language": _language,
    "tone_instructions": _as_instruction("one instruction among others"),
    "reviews.profile": _as_choice(
        "review.min_severity", {"chill": "minor", "assertive": "nit"}, "how slight a remark may be"
    ),
    "reviews.request_changes_workflow": _REQUESTS,
    "reviews.high_level_summary": _SUMMARY,
    "reviews.path_filters": _as_words("review.paths"),
    "reviews.path_instructions": _as_scoped("path", "instructions"),
    f"{_AUTO}.enabled": _as_flag("review.auto"),
    f"{_AUTO}.drafts": _as_flag("review.drafts"),
    f"{_AUTO}.auto_incremental_review": EVERY_PUSH,
    f"{_AUTO}.base_branches": _branches,
    f"{_AUTO}.ignore_title_keywords": _as_words("review.ignore_title_keywords"),
    f"{_AUTO}.ignore_usernames": _as_words("review.ignore_authors"),
    f"{_AUTO}.labels": _labels,
    "reviews.tools.ruff.enabled": _check("ruff"),
    "reviews.tools.shellcheck.enabled": _check("shellcheck"),
    "reviews.tools.actionlint.enabled": _check("actionlint"),
    "reviews.tools.biome.enabled": _check("biome"),
    "reviews.tools.yamllint.enabled": _check("yamllint"),
    "reviews.tools.hadolint.enabled": _check("hadolint"),
    "reviews.tools.sqlfluff.enabled": _check("sqlfluff"),
    "reviews.tools.gitleaks.enabled": _check("secrets"),
    "reviews.tools.*": "Hob does not run it",
    "issue_enrichment.auto_enrich.enabled": _as_flag(
        "issues.triage", "labels, a type and files; it comments as issues.comment says"
    ),
    "issue_enrichment.labeling.labeling_instructions": _label_hints,
    "knowledge_base.code_guidelines.filepatterns": _guidelines,
    "knowledge_base.opt_out": INSIDE,
    "knowledge_base.web_search.*": INSIDE,
    "chat.auto_reply": "Hob answers where it is mentioned",
}
GREPTILE: Rules = {
    "labels": _labels,
    "disabledlabels": NO_OPPOSITE,
    "excludeauthors": _as_words("review.ignore_authors"),
    "includebranches": _plain_branches,
    "excludebranches": NO_OPPOSITE,
    "ignorekeywords": _as_lines("review.ignore_title_keywords", _TITLES),
    "ignorepatterns": _left_out,
    "strictness": _as_choice(
        "review.min_severity", {"1": "nit", "2": "minor", "3": "major"}, "how slight a remark may be"
    ),
    "skipreview": _manual,
    "triggeronupdates": EVERY_PUSH,
    "instructions": _as_instruction(),
    "customcontext.rules": _as_scoped("scope", "rule"),
    "customcontext.other": _as_scoped("scope", "content"),
    "customcontext.files": "name files of the root in review.guidelines",
    "rules": _as_scoped("scope", "rule"),
    "summarysection.included": _SUMMARY,
    "patternrepositories": "whoever runs Hob decides that: hob settings set archives",
    "context.repos": "whoever runs Hob decides that: hob settings set archives",
    "model": OPERATOR,
}
KODUS: Rules = {
    "automatedreviewactive": _as_flag("review.auto"),
    "runondraft": _as_flag("review.drafts"),
    "ignorepaths": _left_out,
    "ignoredtitlekeywords": _as_words("review.ignore_title_keywords"),
    "basebranches": _plain_branches,
    "isrequestchangesactive": _REQUESTS,
    "pullrequestapprovalactive": NEVER_APPROVES,
    "suggestioncontrol.severitylevelfilter": _as_choice("review.min_severity", _SEVERITIES),
    "suggestioncontrol.maxsuggestions": _as_count("review.max_comments"),
    "summary.generateprsummary": _SUMMARY,
    "languageresultprompt": _language,
}
FILES: dict[str, Rules] = {
    ".pr_agent.toml": PR_AGENT,
    ".coderabbit.yaml": CODERABBIT,
    ".coderabbit.yml": CODERABBIT,
    "greptile.json": GREPTILE,
    ".greptile/config.json": GREPTILE,
    "kodus-config.yml": KODUS,
}
"""Where each lies below a repository's root."""
COPILOT = ".github/copilot-instructions.md"
COPILOT_FOLDER, COPILOT_END = ".github/instructions", ".instructions.md"
READ_IN_PLACE = "Hob reads this file where it is, from the base branch; nothing has to be carried over"


def rules_of(path: str) -> Rules | None:
    """By a file's name, else by what it is written in; None for instructions of Copilot. `Unfit` for a file
    that is of none of them."""
    name = PurePosixPath(path).name
    if path.endswith(".md"):
        return None
    by_ending = {".toml": PR_AGENT, ".json": GREPTILE, ".yaml": CODERABBIT, ".yml": CODERABBIT}
    ending = PurePosixPath(path).suffix
    if name not in FILES and ending not in by_ending:
        raise Unfit(
            f"no configuration of a reviewer is called that: known are {', '.join([*FILES, COPILOT])}"
        )
    return KODUS if "kodus" in name.lower() else FILES.get(name, by_ending.get(ending, {}))


def import_file(to: ImportedSettings, path: str, text: str, *, in_place: bool = False) -> None:
    """Adds what a file says. `in_place`: it lies where Hob reads Copilot's instructions itself.
    `UnreadableError` for what cannot be read."""
    if (rules := rules_of(path)) is None:
        rule: Rule | str = READ_IN_PLACE if in_place else _copilot(path)
        to.add(path, "its text", rule, text)
        return
    tree = settings_tree(path, text)
    for name, value in leaves(tree):
        to.add(path, name, rule_for(name, rules), value)


def _copilot(path: str) -> Callable[[Any], Carried]:
    def rule(value: Any) -> Carried:
        patterns, text = scope(path, value)
        fit = [tidy(one) for one in patterns if len(one) <= MOST_NAME]
        if not fit:
            raise Unfit("it says no applyTo, so it holds for no file by itself")
        note = "Hob reads the file too, where it lies in .github: take one of them away"
        return Carried({"review.instructions": instructions(fit, text)}, note)

    return rule
