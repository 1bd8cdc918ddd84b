"""All that a triage reads of a repository beside the issue itself, in one GraphQL query; by REST, in more
calls, where GraphQL is not to be had.

https://docs.github.com/en/graphql/reference/objects#repository
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.errors import GitHubError, QueryTooLarge, RateLimited
from bot.core.guidelines import FILES, OWNERS
from bot.core.issue_forms import IssueForm
from bot.core.refs import Login, RepoRef, Sha
from bot.core.triage_sources import RULES, SECURITY, EarlierComment, TriageSources
from bot.github import contents
from bot.github.api import Api
from bot.github.issue_forms import form
from bot.github.payloads import clean
from bot.yamlnodes import MOST_BYTES

FORMS, WORKFLOWS = ".github/ISSUE_TEMPLATE", ".github/workflows"
MOST_FORMS, MOST_WORKFLOWS, MOST_LABELS = 20, 100, 500
MOST_CHARS = 20_000
"""Of the rules."""
_TEXT = "... on Blob { text isBinary isTruncated byteSize }"
_SIZE = "... on Blob { byteSize }"
_FOLDER = f"... on Tree {{ entries {{ name mode object {{ {_TEXT} }} }} }}"
_ISSUE = """issue(number: $number) {
  comments(last: 50) { nodes { body author { __typename login } } }
  timelineItems(last: 100, itemTypes: [UNLABELED_EVENT]) {
    nodes { ... on UnlabeledEvent { actor { __typename login } label { name } } }
  }
}"""
_TYPES = "issueTypes(first: 50) { nodes { name isEnabled } }"
_LABELS = (
    "labels(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { name description } }"
)
_MORE = f"""query($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{ {_LABELS} }}
}}"""
log = logging.getLogger(__name__)


def _document(*, issue: bool, types: bool) -> str:
    """Without what this GitHub does not know, or nobody asks for: an unknown field refuses all of it."""
    objects = {"config": _TEXT, "rules": _TEXT, "forms": _FOLDER, "workflows": _FOLDER}
    objects |= {f"owners{n}": _TEXT for n in range(len(OWNERS))}
    objects |= {f"security{n}": _SIZE for n in range(len(SECURITY))}
    declared = "".join(f", ${key}: String!" for key in objects)
    asked = " ".join(f"{key}: object(expression: ${key}) {{ {what} }}" for key, what in objects.items())
    number = ", $number: Int!" if issue else ""
    more = f"{_LABELS} securityPolicyUrl {_TYPES if types else ''} {_ISSUE if issue else ''}"
    return (
        f"query($owner: String!, $name: String!, $after: String{number}{declared}) "
        f"{{ repository(owner: $owner, name: $name) {{ {asked} {more} }} }}"
    )


async def read(api: Api, repo: RepoRef, ref: str, number: int, slug: str) -> TriageSources:
    """As the files stand at `ref`; with the conversation of an issue where it is named (0: none is)."""
    for types in (True, False):
        try:
            return await _by_graphql(api, repo, ref, number, slug, types=types)
        except RateLimited:
            raise
        except (GitHubError, QueryTooLarge) as error:
            log.info("GraphQL is of no use for the sources of a triage: %s", error)
    return await _by_rest(api, repo, ref)


async def _by_graphql(
    api: Api, repo: RepoRef, ref: str, number: int, slug: str, *, types: bool
) -> TriageSources:
    paths = {"config": contents.CONFIG, "rules": RULES, "forms": FORMS, "workflows": WORKFLOWS}
    paths |= {f"owners{n}": path for n, path in enumerate(OWNERS)}
    paths |= {f"security{n}": path for n, path in enumerate(SECURITY)}
    names: dict[str, Any] = {"owner": repo.owner, "name": repo.name, "after": None}
    names |= {key: f"{ref}:{path}" for key, path in paths.items()}
    if number:
        names["number"] = number
    data, _ = await api.graphql_partly(_document(issue=number > 0, types=types), names)
    found = data.get("repository")
    if not isinstance(found, dict) or not isinstance(found.get("labels"), dict):
        raise GitHubError(200, "GraphQL gave no repository")
    owners = (_text(found.get(f"owners{n}")) for n in range(len(OWNERS)))
    policies = (path for n, path in enumerate(SECURITY) if found.get(f"security{n}"))
    issue = found.get("issue")
    issue = issue if isinstance(issue, dict) else {}
    return TriageSources(
        config=_text(found.get("config"), MOST_BYTES),
        rules=(_text(found.get("rules")) or "")[:MOST_CHARS],
        owners=next((text for text in owners if text is not None), ""),
        forms=_forms(_folder(found.get("forms"))),
        workflows=_workflows(_folder(found.get("workflows"))),
        labels=await _labels(api, repo, found["labels"]),
        types=tuple(
            clean(one.get("name")) for one in _nodes(found.get("issueTypes")) if one.get("isEnabled")
        ),
        policy=clean(found.get("securityPolicyUrl")),
        policy_file=next(policies, ""),
        said=tuple(_said(one, slug) for one in _nodes(issue.get("comments"))),
        taken_off=tuple(
            clean((one.get("label") or {}).get("name"))
            for one in _nodes(issue.get("timelineItems"))
            if not _ours(one.get("actor"), slug)
        ),
    )


async def _labels(api: Api, repo: RepoRef, page: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """All, a further call for each hundred."""
    found = [*_nodes(page)]
    while len(found) < MOST_LABELS and (page.get("pageInfo") or {}).get("hasNextPage"):
        names = {"owner": repo.owner, "name": repo.name, "after": page["pageInfo"].get("endCursor")}
        data = await api.graphql(_MORE, names)
        page = (data.get("repository") or {}).get("labels") or {}
        found += _nodes(page)
    return tuple((clean(one.get("name")), clean(one.get("description"))) for one in found)


async def _by_rest(api: Api, repo: RepoRef, ref: str) -> TriageSources:
    """Without types and conversation."""
    config, complaints = await contents.config_text(api, repo, ref)
    listed = await contents.folders(api, repo, Sha(ref), [FORMS, WORKFLOWS])
    files = [
        path for path, mode in sorted(listed.items()) if mode in FILES and path.endswith((".yml", ".yaml"))
    ]
    forms = [path for path in files if path.startswith(f"{FORMS}/")][:MOST_FORMS]
    workflows = [path for path in files if path.startswith(f"{WORKFLOWS}/")]
    texts = await contents.texts(
        api, repo, Sha(ref), [RULES, *OWNERS, *SECURITY, *forms, *workflows[:MOST_WORKFLOWS]]
    )
    labels = await api.get_all("/repos/{owner}/{repo}/labels", cap=MOST_LABELS)
    return TriageSources(
        config=config,
        complaints=complaints,
        rules=texts.get(RULES, "")[:MOST_CHARS],
        owners=next((texts[path] for path in OWNERS if path in texts), ""),
        forms=_forms([(path, texts[path]) for path in forms if path in texts]),
        workflows={path: texts[path] for path in workflows if path in texts},
        labels=tuple(
            (clean(one.get("name")), clean(one.get("description"))) for one in labels if isinstance(one, dict)
        ),
        policy_file=next((path for path in SECURITY if path in texts), ""),
    )


def _text(blob: Any, most: int = contents.MOST_TEXT) -> str | None:
    """None for what is no text of at most `most` bytes."""
    if not isinstance(blob, dict) or blob.get("isBinary") or blob.get("isTruncated"):
        return None
    text, size = blob.get("text"), blob.get("byteSize")
    return clean(text) if isinstance(text, str) and isinstance(size, int) and size <= most else None


def _folder(tree: Any) -> list[tuple[str, str]]:
    """(name, text) of its regular files."""
    entries = tree.get("entries") if isinstance(tree, dict) else None
    listed = [one for one in entries or () if isinstance(one, dict) and one.get("mode") in FILES]
    found = ((clean(one.get("name")), _text(one.get("object"))) for one in listed)
    return [(name, text) for name, text in found if text is not None]


def _forms(files: Sequence[tuple[str, str]]) -> tuple[IssueForm, ...]:
    yaml = [text for name, text in files if name.endswith((".yml", ".yaml")) and "config.y" not in name]
    return tuple(one for text in yaml[:MOST_FORMS] if (one := form(text)))


def _workflows(files: Sequence[tuple[str, str]]) -> dict[str, str]:
    yaml = [(f"{WORKFLOWS}/{name}", text) for name, text in files if name.endswith((".yml", ".yaml"))]
    return dict(yaml[:MOST_WORKFLOWS])


def _nodes(connection: Any) -> list[dict[str, Any]]:
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    return [one for one in nodes or () if isinstance(one, dict)]


def _said(node: Mapping[str, Any], slug: str) -> EarlierComment:
    """A deleted account is null."""
    author = node.get("author") or {"login": "ghost"}
    login = clean(author.get("login")).removesuffix("[bot]")
    shown = f"{login}[bot]" if author.get("__typename") == "Bot" else login
    return EarlierComment(Login(shown), clean(node.get("body")), _ours(author, slug))


def _ours(actor: Any, slug: str) -> bool:
    """GraphQL names an App without the `[bot]` that REST writes; a person may have the same name."""
    found = actor if isinstance(actor, dict) else {}
    return found.get("__typename") == "Bot" and str(found.get("login")).removesuffix("[bot]") == slug
