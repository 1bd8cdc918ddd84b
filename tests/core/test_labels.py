"""Which labels a stranger's issue may get from a model that obeys the stranger."""

import pytest

from bot.core.labels import ANY, choices, what_it_says

SAYS = {
    "its kind": (
        "bug|Bug|:bug: bug|🐛 Bug|kind/bug|type: bug|Type: Bug|T-bug|C-bug|type/bug|kind: regression"
        "|bug report"
        "|enhancement|Feature Request|feature-request|feature_request|kind/feature|type:enhancement|question"
        "|documentation|docs|kind/api-change|type::defect|category: performance|typo|a11y|tech-debt"
    ),
    "its area": (
        "area/api|area-api|Area: Parser|component: http|comp/scheduler|module:auth|pkg/kubelet|A-diagnostics"
        "|scope: cli|topic: asyncio|OS-windows|platform/android|area: ci|area/deployment|windows|API"
    ),
    "its priority": (
        "p0|P1|P-high|priority: high|Priority/Critical|priority-low|high priority|High-Priority|urgent"
        "|sev1|sev-2"
        "|severity: critical|severity/s1|priority:p2|prio: 3|low|priority/important|P1: urgent"
    ),
    "what is missing": (
        "needs-info|needs info|Needs More Information|needs: repro|needs/information|status: needs info"
        "|waiting for info|awaiting response|needs-reproduction|needs-triage|more information needed"
        "|can't reproduce"
    ),
    "who may take it": (
        "good first issue|Good-First-Issue|help wanted|help-wanted|E-easy|difficulty: beginner"
        "|beginner friendly"
        "|up-for-grabs|first-timers-only|🆘 help wanted|contributions welcome"
    ),
}
ACTS = (
    "security-approved|approved|approve|lgtm|merge|automerge|auto-merge|ready to merge"
    "|merge when green|deploy"
    "|deploy:production|deploy/preview|preview|release|releases|release: minor|type: release"
    "|release-blocker|close"
    "|autoclose|to be closed|kind/close|lock|locked|run-ci|ci|ci:run|ci/skip|skip-ci|skip ci"
    "|no-changelog|run e2e"
    "|run tests|ok-to-test|ok to test|safe to test|safe-to-test|wontfix|won't fix|wont-fix"
    "|type: wontfix|invalid"
    "|duplicate|stale|pinned|kind/skip-review|area: skip-ci|area/auto-merge|area: ok-to-test"
    "|component: run-tests"
    "|priority: merge|priority-deploy|needs: merge|status: approved|needs-approval|do-not-merge|backport v1"
    "|cherry-pick|publish|ship it|bypass-review|override|trusted|allow-list|hold|type: approved"
    "|t-rollout|kind/canary"
    "|dependencies: merge|bug; deploy|bug approved|severity: approve|good first merge|security"
    "|vulnerability|v2.0"
    "|needs-deploy|force-push|benchmark|rebase|revert|retest|/approve|cla: yes|"
)


@pytest.mark.parametrize(
    ("name", "says"), [(name, says) for says, names in SAYS.items() for name in names.split("|")]
)
def test_usual_labels_that_say_what_an_issue_is_may_be_chosen(name: str, says: str) -> None:
    assert what_it_says(name) == says
    (choice,) = choices([name], (), {})
    assert choice.may and says in choice.why


@pytest.mark.parametrize("name", ACTS.split("|"))
def test_P4_a_label_that_does_something_may_not_be_chosen(name: str) -> None:
    assert what_it_says(name) == ""
    assert not choices([name], (), {})[0].may


@pytest.mark.parametrize("name", ["x" * 60_000, "type: " * 10_000, ":" * 60_000, "a-" * 30_000, "\u0000"])
def test_odd_names_are_read_in_no_time_and_say_nothing_that_acts(name: str) -> None:
    assert choices([name], (), {})[0].may in (True, False)


def test_what_the_settings_name_may_be_chosen_in_any_case_and_nothing_else() -> None:
    found = choices(["Bug", "Deploy", "docs"], ["bug", "DEPLOY"], {"deploy": "a.yml"})
    assert [one.may for one in found] == [True, True, False]
    assert found[2].why == "not named in issues.labels"


def test_P4_what_a_workflow_acts_on_may_not_be_chosen() -> None:
    heard = {"bug": ".github/workflows/triage.yml"}
    bug, docs = choices(["Bug", "docs"], (), heard)
    assert not bug.may and ".github/workflows/triage.yml" in bug.why
    assert docs.may
    assert not choices(["docs"], (), {ANY: "any.yml"})[0].may
