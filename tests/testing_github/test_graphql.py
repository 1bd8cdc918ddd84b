"""Issues by GraphQL: pages, filters, what hangs on each, as GitHub's schema says."""

from typing import Any

import pytest

from bot.testing.github.world import stamp
from tests.fakes.contract import Contract
from tests.testing_github.caller import with_token
from tests.testing_github.conftest import Tea

_ITEM = """fragment Item on Issue {
  number title state stateReason(enableDuplicate: true) createdAt updatedAt closedAt
  author { __typename login ... on User { databaseId } }
  milestone { title number dueOn } issueType { name } labels(first: 9) { nodes { name } }
  assignees(first: 9) { nodes { login } } parent { number } subIssuesSummary { total completed }
  subIssues(first: 9) { nodes { number } } blockedBy(first: 9) { totalCount nodes { number state } }
  blocking(first: 9) { nodes { number } } comments(last: 2) { totalCount nodes { body author { login } } }
  closedByPullRequestsReferences(first: 9, includeClosedPrs: true) { nodes { number state merged } }
}"""
_NAMES = "$owner: String!, $name: String!"
_PAGE = (
    f"query({_NAMES}, $after: String, $states: [IssueState!], $filter: IssueFilters)"
    + """{
  repository(owner: $owner, name: $name) {
    issues(first: 2, after: $after, states: $states, filterBy: $filter,
           orderBy: {field: CREATED_AT, direction: ASC}) {
      totalCount pageInfo { hasNextPage endCursor } nodes { ...Item }
    }
  }
}"""
)


def ask(tea: Tea, query: str, **variables: Any) -> Any:
    asked = {"query": query, "variables": {"owner": "octo", "name": "tea"} | variables}
    return tea.call("POST", "/graphql", asked).json


def pages(tea: Tea, states: Any = None, **narrow: Any) -> list[dict[str, Any]]:
    """All issues, page by page."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        answer = ask(tea, f"{_PAGE} {_ITEM}", after=after, states=states, filter=narrow or None)
        page = answer["data"]["repository"]["issues"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found


def test_issues_come_in_pages_narrowed_as_asked(tea: Tea) -> None:
    for number in range(5):
        tea.repo.open_issue(f"{number}", milestone="v1" if number < 3 else "", at=1000 + number)
    tea.repo.issues[3].close("ann", "duplicate")
    tea.repo.issues[4].add_label("ann", "bug")
    assert [one["number"] for one in pages(tea)] == [2, 3, 4, 5, 6]
    assert [one["number"] for one in pages(tea, ["CLOSED"])] == [3]
    assert [one["number"] for one in pages(tea, ["OPEN"], milestoneNumber="1")] == [2, 4]
    assert [one["number"] for one in pages(tea, milestone=None)] == [5, 6]
    assert [one["number"] for one in pages(tea, milestoneNumber="*", states=["OPEN"])] == [2, 4]
    assert [one["number"] for one in pages(tea, labels=["Bug"])] == [4]
    assert [one["number"] for one in pages(tea, since=stamp(2000))] == [3, 4]
    (closed,) = pages(tea, ["CLOSED"])
    assert (closed["stateReason"], closed["closedAt"] is None) == ("DUPLICATE", False)


def test_an_issue_with_all_that_hangs_on_it(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug")
    whole = tea.repo.open_issue("Whole", kind="Bug", milestone="v1", labels=["bug"], assignees=["lisa"])
    part, first = tea.repo.open_issue("Part", author="ann"), tea.repo.open_issue("First")
    whole.add_sub_issue(part)
    first.block(whole)
    whole.comment("dependabot[bot]", "bump")
    fix = tea.repo.open_pull_request("Mend", {"a.py": "a"}, body="Fixes #2 and closes: #3")
    query = "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {"
    query += " a: issue(number: 2) { ...Item } b: issue(number: 3) { ...Item } } }"
    found = ask(tea, f"{query} {_ITEM}")["data"]["repository"]
    assert (found["a"]["issueType"], found["a"]["milestone"]["title"]) == ({"name": "Bug"}, "v1")
    assert found["a"]["assignees"]["nodes"] == [{"login": "lisa"}]
    assert found["a"]["subIssues"]["nodes"] == [{"number": 3}]
    assert found["a"]["blockedBy"]["nodes"] == [{"number": 4, "state": "OPEN"}]
    assert found["a"]["comments"]["nodes"] == [{"body": "bump", "author": {"login": "dependabot"}}]
    assert found["b"]["parent"] == {"number": 2}
    assert found["b"]["author"]["login"] == "ann"
    for each in ("a", "b"):
        assert found[each]["closedByPullRequestsReferences"]["nodes"][0]["state"] == "OPEN"
    fix.merge("mona")
    assert [whole.state, part.state, first.state] == ["closed", "closed", "open"]
    again = ask(tea, f"{query} {_ITEM}")["data"]["repository"]["a"]
    assert again["closedByPullRequestsReferences"]["nodes"][0] == {
        "number": 5, "state": "MERGED", "merged": True,
    }  # fmt: skip
    tea.gh.delete_user("ann")
    assert ask(tea, f"{query} {_ITEM}")["data"]["repository"]["b"]["author"] is None


def test_what_a_repository_says_of_itself_in_one_call(tea: Tea) -> None:
    tea.gh.set_issue_types("octo", "Bug", "Task")
    tea.repo.commit({".github/ISSUE_TEMPLATE/bug.yml": "name: Bug\n", ".github/SECURITY.md": "Mail us."})
    tea.repo.release("v1", body="Fixes #1")
    query = """query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
      forms: object(expression: "HEAD:.github/ISSUE_TEMPLATE") { ... on Tree { entries {
        name path type size object { __typename ... on Blob { text isBinary byteSize } } } } }
      labels(first: 100) { nodes { name description } } issueTypes(first: 25) { nodes { name isEnabled } }
      milestones(first: 5, states: [OPEN]) { nodes { title } } isSecurityPolicyEnabled securityPolicyUrl
      releases(first: 5, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { tagName description } }
      pullRequests(first: 5, states: [OPEN]) { nodes { number isDraft closingIssuesReferences(first: 5) {
        nodes { number } } } } defaultBranchRef { name } } }"""
    found = ask(tea, query)["data"]["repository"]
    (form,) = found["forms"]["entries"]
    assert (form["name"], form["path"]) == ("bug.yml", ".github/ISSUE_TEMPLATE/bug.yml")
    assert form["object"] == {"__typename": "Blob", "text": "name: Bug\n", "isBinary": False, "byteSize": 10}
    assert {"name": "bug", "description": "Something isn't working"} in found["labels"]["nodes"]
    assert [one["name"] for one in found["issueTypes"]["nodes"]] == ["Bug", "Task"]
    assert found["isSecurityPolicyEnabled"] is True
    assert found["releases"]["nodes"] == [{"tagName": "v1", "description": "Fixes #1"}]
    assert found["pullRequests"]["nodes"][0]["number"] == 1


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("issues { nodes { number } }", "MISSING_PAGINATION_BOUNDARIES"),
        ("issues(first: 101) { nodes { number } }", "EXCESSIVE_PAGINATION"),
        ('issues(first: 1, after: "7") { nodes { number } }', "INVALID_CURSOR_ARGUMENTS"),
        (
            "issues(first: 100) { nodes { comments(first: 100) { nodes { issue { comments(first: 100) {"
            " nodes { body } } } } } } }",
            "MAX_NODE_LIMIT_EXCEEDED",
        ),
    ],
)
def test_githubs_limits_of_a_query_hold(tea: Tea, page: str, kind: str) -> None:
    query = (
        f"query($owner: String!, $name: String!) {{ repository(owner: $owner, name: $name) {{ {page} }} }}"
    )
    assert [one["type"] for one in ask(tea, query)["errors"]] == [kind]


def test_what_is_not_there_or_not_permitted_is_null_with_an_error(tea: Tea) -> None:
    tea.repo.open_issue("One")
    query = "query($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {"
    query += (
        " a: issue(number: 1) { number } b: issue(number: 9) { number } c: issue(number: 2) { number } } }"
    )
    answer = ask(tea, query)
    assert answer["data"]["repository"] == {"a": None, "b": None, "c": {"number": 2}}
    assert [one["type"] for one in answer["errors"]] == ["NOT_FOUND", "NOT_FOUND"]
    narrow = with_token(tea.gh, contents="read")
    asked = {"query": query, "variables": {"owner": "octo", "name": "tea"}}
    refused = narrow("POST", "/graphql", asked).json
    assert {one["type"] for one in refused["errors"]} == {"FORBIDDEN"}


def test_an_older_server_does_not_know_newer_fields(tea: Tea) -> None:
    tea.gh.lacking |= {"Issue.blockedBy"}
    tea.repo.open_issue("One")
    answer = ask(tea, f"{_PAGE} {_ITEM}", after=None, states=None, filter=None)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {
        "code": "undefinedField", "typeName": "Issue", "fieldName": "blockedBy",
    }  # fmt: skip


def test_a_fragment_that_is_not_there_is_refused(tea: Tea, contract: Contract) -> None:
    assert "Item" in ask(tea, _PAGE, after=None, states=None, filter=None)["errors"][0]["message"]
    contract.problems.clear()
