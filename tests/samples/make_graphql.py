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
        "ReactionGroup",
    ]
)


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
    kept = {name for name in KEPT if name in types}
    needed: set[str] = set()
    for name in kept:
        node = types[name]
        fields = tuple(
            one for one in node.fields if _named(one.type) in kept or _leaf(types, _named(one.type))
        )
        interfaces = tuple(one for one in node.interfaces or () if one.name.value in kept)
        types[name] = replace(node, fields=fields, interfaces=interfaces)
        for one in fields:
            needed |= {_named(one.type), *_inputs(types, one)} & types.keys()
    return "\n".join(print_ast(_without_prose(types[name])) for name in sorted(kept | needed))


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
