"""Makes graphql/github.graphql.gz anew: `python -m tests.samples.make_graphql TARBALL`.

The tarball is what `npm pack @octokit/graphql-schema` gives. Kept are the types below with their fields as
far as those lead to kept types, without prose: what a bot may reasonably ask, in a tenth of the size.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import NamedTypeNode, Node, build_ast_schema, parse, print_ast
from graphql.language import ast

from tests.samples.archive import member, save

TARGET = Path(__file__).parent / "graphql" / "github.graphql.gz"
KEPT = frozenset(
    [
        "Query",
        "Mutation",
        "Repository",
        "GitObject",
        "Blob",
        "Tree",
        "TreeEntry",
        "Commit",
        "Tag",
        "Ref",
        "PullRequest",
        "PullRequestConnection",
        "Issue",
        "IssueConnection",
        "IssueComment",
        "IssueCommentConnection",
        "PullRequestReview",
        "PullRequestReviewConnection",
        "PullRequestReviewThread",
        "PullRequestReviewThreadConnection",
        "PullRequestReviewComment",
        "PullRequestReviewCommentConnection",
        "Label",
        "LabelConnection",
        "RateLimit",
        "Actor",
        "User",
        "Bot",
        "Organization",
        "RepositoryOwner",
        "Node",
        "PageInfo",
        "PullRequestChangedFile",
        "PullRequestChangedFileConnection",
        "PullRequestCommit",
        "PullRequestCommitConnection",
        "ResolveReviewThreadPayload",
        "UnresolveReviewThreadPayload",
        "MinimizeCommentPayload",
        "AddPullRequestReviewThreadReplyPayload",
        "Minimizable",
        "Comment",
        "Reactable",
        "Labelable",
        "Closable",
        "Assignable",
        "Lockable",
        "ReactionGroup",
        "ReactorConnection",
        "IssueOrPullRequest",
        "IssueType",
        "IssueTypeConnection",
        "IssueDependenciesSummary",
        "SubIssuesSummary",
        "Milestone",
        "MilestoneConnection",
        "Release",
        "ReleaseConnection",
        "UserConnection",
        "IssueTimelineItemsConnection",
        "IssueTimelineItems",
        "UnlabeledEvent",
    ]
)
NEWER = """
extend type Issue {
  blockedBy(
    after: String
    before: String
    first: Int
    last: Int
    orderBy: IssueDependencyOrder = {field: DEPENDENCY_ADDED_AT, direction: DESC}
  ): IssueConnection!
  blocking(
    after: String
    before: String
    first: Int
    last: Int
    orderBy: IssueDependencyOrder = {field: DEPENDENCY_ADDED_AT, direction: DESC}
  ): IssueConnection!
  issueDependenciesSummary: IssueDependenciesSummary!
  issueType: IssueType
}
extend type Repository {
  issueType(name: String!): IssueType
  issueTypes(
    after: String
    before: String
    first: Int
    last: Int
    orderBy: IssueTypeOrder = {field: CREATED_AT, direction: ASC}
  ): IssueTypeConnection
}
extend type Organization {
  issueTypes(
    after: String
    before: String
    first: Int
    last: Int
    orderBy: IssueTypeOrder = {field: CREATED_AT, direction: ASC}
  ): IssueTypeConnection
}
extend input IssueFilters { type: String }
type IssueType implements Node {
  color: IssueTypeColor!
  description: String
  id: ID!
  isEnabled: Boolean!
  isPrivate: Boolean!
  name: String!
}
type IssueTypeConnection { nodes: [IssueType] pageInfo: PageInfo! totalCount: Int! }
type IssueDependenciesSummary { blockedBy: Int! blocking: Int! totalBlockedBy: Int! totalBlocking: Int! }
input IssueDependencyOrder { direction: OrderDirection! field: IssueDependencyOrderField! }
enum IssueDependencyOrderField { CREATED_AT DEPENDENCY_ADDED_AT }
input IssueTypeOrder { direction: OrderDirection! field: IssueTypeOrderField! }
enum IssueTypeOrderField { CREATED_AT NAME }
enum IssueTypeColor { BLUE GRAY GREEN ORANGE PINK PURPLE RED YELLOW }
"""
"""What GitHub's reference tells and the package, which is made without preview features, lacks.

https://docs.github.com/en/graphql/reference/issues
"""


def _named(node: Node) -> str:
    while not isinstance(node, NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value


def _inputs(types: dict[str, Any], field: Any) -> Iterator[str]:
    """The types of a field's arguments, and those that these need."""
    waiting = [_named(argument.type) for argument in field.arguments or ()]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in types and name not in seen:
            seen.add(name)
            yield name
            waiting += [
                _named(one.type) for one in getattr(types[name], "fields", None) or () if hasattr(one, "type")
            ]


def _leaf(types: dict[str, Any], name: str) -> bool:
    return name not in types or isinstance(
        types[name], ast.ScalarTypeDefinitionNode | ast.EnumTypeDefinitionNode
    )


def pruned(text: str) -> str:
    """The schema's text with the kept types only."""
    document = parse(text, no_location=True)
    types: dict[str, Any] = {node.name.value: node for node in document.definitions if hasattr(node, "name")}
    _add_newer(types)
    kept = {name for name in KEPT if name in types}
    needed: set[str] = set()
    for name in kept:
        node = types[name]
        if isinstance(node, ast.UnionTypeDefinitionNode):
            types[name] = replace(node, types=tuple(one for one in node.types if one.name.value in kept))
            continue
        fields = tuple(
            one for one in node.fields if _named(one.type) in kept or _leaf(types, _named(one.type))
        )
        interfaces = tuple(one for one in node.interfaces or () if one.name.value in kept)
        types[name] = replace(node, fields=fields, interfaces=interfaces)
        for one in fields:
            needed |= {_named(one.type), *_inputs(types, one)} & types.keys()
    return "\n".join(print_ast(_without_prose(types[name])) for name in sorted(kept | needed))


def _add_newer(types: dict[str, Any]) -> None:
    """Nothing that the package tells by now."""
    for node in parse(NEWER, no_location=True).definitions:
        name = node.name.value  # type: ignore[attr-defined]
        if isinstance(node, ast.TypeExtensionNode):
            known = {one.name.value for one in types[name].fields}
            added = tuple(one for one in node.fields if one.name.value not in known)  # type: ignore[attr-defined]
            types[name] = replace(types[name], fields=types[name].fields + added)
        else:
            types.setdefault(name, node)


def _without_prose(node: Any) -> Any:
    """The node with no descriptions or directives, down to the arguments."""
    changes: dict[str, Any] = {"description": None, "directives": ()} if hasattr(node, "description") else {}
    for part in ("fields", "values", "arguments"):
        if getattr(node, part, None):
            changes[part] = tuple(_without_prose(one) for one in getattr(node, part))
    return replace(node, **changes)


def main(tarball: str) -> None:
    text = pruned(member(Path(tarball), "schema.graphql").decode())
    build_ast_schema(parse(text))
    save(TARGET, text.encode())
    print(f"{len(text)} characters, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
