"""Pull requests, reviews and review comments."""

from bot.testing.github.pulls import PullRequest, Review, ReviewComment
from bot.testing.github.repository import Repository
from bot.testing.github.shapes import repos
from bot.testing.github.shapes.common import Shape, label, node_id, reactions, user
from bot.testing.github.shapes.issues import by, chosen, page
from bot.testing.github.world import stamp


def pull(repo: Repository, one: PullRequest, *, whole: bool = True) -> Shape:
    """https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request; listings are not `whole`."""
    world, api = repo.world, repos.api(repo)
    url, web, issue_url = f"{api}/pulls/{one.number}", page(repo, one), f"{api}/issues/{one.number}"
    links = {
        "self": url,
        "html": web,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/statuses/{one.head_sha}",
    }
    shape: Shape = {
        "url": url,
        "id": one.id,
        "node_id": node_id("PR", one.id),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issue_url,
        "number": one.number,
        "state": one.state,
        "title": one.title,
        "user": by(world, one.author),
        "body": one.body or None,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "closed_at": stamp(one.closing.at) if one.closing.at else None,
        "merged_at": stamp(one.merged_at) if one.merged_at else None,
        "merge_commit_sha": None,
        **chosen(repo, one),
        "requested_reviewers": [user(world, each) for each in one.reviewers],
        "requested_teams": [],
        "labels": [label(api, each) for each in one.labels],
        "draft": one.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _end(repo, one, one.head_ref, one.head_sha, _head_repo(repo, one)),
        "base": _end(repo, one, one.base_ref, one.base_sha, repo),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": repo.association(one.author),
        "auto_merge": None,
    }
    return shape | _counts(one) if whole else shape


def _head_repo(repo: Repository, one: PullRequest) -> Repository | None:
    if not one.from_fork:
        return repo
    fork: Repository | None = one.fork
    return fork


def _end(repo: Repository, one: PullRequest, ref: str, sha: str, home: Repository | None) -> Shape:
    owner = home.owner if home else one.author
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(repo.world, owner),
        "repo": repos.repository(home) if home else None,
    }


def _counts(one: PullRequest) -> Shape:
    files = one.files()
    return {
        "merged": one.merged_at is not None,
        "mergeable": True,
        "rebaseable": True,
        "mergeable_state": "clean",
        "merged_by": None,
        "comments": len(one.comments),
        "review_comments": len(one.review_comments),
        "maintainer_can_modify": one.from_fork,
        "commits": len(one.commits),
        "additions": sum(change.additions for change in files),
        "deletions": sum(change.deletions for change in files),
        "changed_files": len(files),
    }


def review(repo: Repository, one: Review) -> Shape:
    """https://docs.github.com/en/rest/pulls/reviews#get-a-review-for-a-pull-request"""
    web = f"{page(repo, one.pull)}#pullrequestreview-{one.id}"
    url = f"{repos.api(repo)}/pulls/{one.pull.number}"
    shape: Shape = {
        "id": one.id,
        "node_id": node_id("PRR", one.id),
        "user": user(repo.world, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": web,
        "pull_request_url": url,
        "author_association": repo.association(one.author),
        "_links": {"html": {"href": web}, "pull_request": {"href": url}},
        "commit_id": one.commit_id,
    }
    return shape if one.state == "PENDING" else shape | {"submitted_at": stamp(one.submitted_at)}


def review_comment(repo: Repository, one: ReviewComment) -> Shape:
    """https://docs.github.com/en/rest/pulls/comments#get-a-review-comment-for-a-pull-request"""
    api = repos.api(repo)
    url, pull_url = f"{api}/pulls/comments/{one.id}", f"{api}/pulls/{one.pull.number}"
    web = f"{page(repo, one.pull)}#discussion_r{one.id}"
    shape: Shape = {
        "url": url,
        "pull_request_review_id": one.review.id,
        "id": one.id,
        "node_id": node_id("PRRC", one.id),
        "diff_hunk": one.location.diff_hunk,
        "path": one.path,
        "commit_id": one.commit_id,
        "original_commit_id": one.original_commit_id,
        "user": user(repo.world, one.author),
        "body": one.body,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "html_url": web,
        "pull_request_url": pull_url,
        "author_association": repo.association(one.author),
        "_links": {"self": {"href": url}, "html": {"href": web}, "pull_request": {"href": pull_url}},
        "reactions": reactions(f"{url}/reactions", one.reactions),
        "start_line": one.start_line,
        "original_start_line": one.start.line if one.start else None,
        "start_side": one.start.side if one.start else None,
        "line": one.line,
        "original_line": one.location.line,
        "side": one.side,
        "original_position": one.location.position,
        "position": one.position,
        "subject_type": "line",
    }
    return shape | {"in_reply_to_id": one.in_reply_to} if one.in_reply_to else shape


def legacy_review_comment(repo: Repository, one: ReviewComment) -> Shape:
    """As the comments of one review are listed: GitHub leaves `line` out there.

    https://docs.github.com/en/rest/pulls/reviews#list-comments-for-a-pull-request-review
    """
    lines = (
        "start_line",
        "original_start_line",
        "start_side",
        "line",
        "original_line",
        "side",
        "subject_type",
    )
    return {key: value for key, value in review_comment(repo, one).items() if key not in lines}
