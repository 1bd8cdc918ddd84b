# ruff: noqa: E501
"""From what inputs are made: one of each kind, right as it stands."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

BUG = {"action": "opened", "installation": {"id": 7}, "sender": {"login": "mona", "id": 1, "type": "User"}}
REPOSITORY = {
    "id": 5, "name": "tea", "full_name": "octo/tea", "owner": {"login": "octo", "id": 2}, "private": False,
}  # fmt: skip
SHA = "a" * 40
COMMENT = {"id": 9, "body": "@hob-bot review", "user": BUG["sender"], "author_association": "NONE"}
PULL = {
    "number": 3, "title": "Tea", "body": "Fixes #1", "user": BUG["sender"], "draft": False, "labels": [{"name": "a"}],
    "state": "open", "head": {"sha": SHA, "ref": "b", "repo": {"id": 5}},
    "base": {"sha": SHA, "ref": "main", "repo": {"id": 5}},
}  # fmt: skip


def bodies() -> Iterator[dict[str, Any]]:
    def about(event: str, **more: Any) -> dict[str, Any]:
        return {"event": event, "body": {**BUG, "repository": REPOSITORY, **more}}

    yield about("pull_request", number=3, pull_request=PULL)
    yield about("issues", issue={"number": 1, "title": "t", "body": "b", "user": BUG["sender"], "labels": []})
    issue = {"number": 1, "user": BUG["sender"], "title": "t"}
    yield about("issue_comment", action="created", comment=COMMENT, issue=issue)
    edited = {"changes": {"body": {"from": "x"}}, "comment": COMMENT, "issue": issue}
    yield about("issue_comment", action="edited", **edited)
    yield about(
        "pull_request_review", action="submitted", review={**COMMENT, "state": "commented"}, pull_request=PULL
    )
    yield about(
        "pull_request_review_comment", action="created", comment={**COMMENT, "path": "a"}, pull_request=PULL
    )
    yield about("push", ref="refs/heads/main", before=SHA, after=SHA, commits=[], forced=False)
    yield about("repository", action="deleted")
    yield about("installation", action="deleted", repositories=[REPOSITORY])
    yield about("installation_repositories", action="removed", repositories_removed=[REPOSITORY])
    group = {"head_sha": SHA, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-3-{SHA}", "base_ref": "main"}
    yield about("merge_group", action="checks_requested", merge_group=group)
    pulls = [{"number": 3, "head": {"sha": SHA}, "base": {"repo": {"id": 5}}}]
    run = {
        "id": 4,
        "name": "Hob",
        "head_sha": SHA,
        "external_id": f"{SHA}#3",
        "app": {"id": 1},
        "pull_requests": pulls,
    }
    button = {"identifier": "review-all"}
    yield about("check_run", action="requested_action", check_run=run, requested_action=button)
    suite = {
        "id": 4,
        "head_sha": SHA,
        "head_branch": "hob/fix",
        "conclusion": "failure",
        "pull_requests": pulls,
    }
    yield about("check_suite", action="completed", check_suite=suite)


def posting(value: Any) -> bytes:
    event = value.get("event") if isinstance(value, dict) else value
    head = f"content-type: application/json\nx-github-delivery: 1-2\nx-github-event: {event}\n\n"
    body = value.get("body") if isinstance(value, dict) else value
    return head.encode("utf-8", "replace") + json.dumps(body).encode()


def listed(value: Any) -> bytes:
    return b"https://api.example/x?cursor=v1_2\n" + json.dumps(value).encode()


def spoken(value: Any) -> bytes:
    """As events, one a line, or one body, by what the values are."""
    values = value if isinstance(value, list) else [value]
    form = (b"data: %s\n\n", b"%s\n", b"event: x\ndata: %s\r\n\r\n")[len(json.dumps(value)) % 3]
    return b"\x10" + b"".join(form % json.dumps(one).encode() for one in values)


SPOKEN: tuple[Any, ...] = (
    [{"message": {"role": "assistant", "content": "a"}, "done": False}, {"done": True, "done_reason": "stop"}],
    [
        {"choices": [{"index": 0, "delta": {"content": "a", "tool_calls": [{"index": 0, "function": {"name": "f"}}]}}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}},
    ],
    [
        {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "f"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    {"choices": [{"message": {"content": [{"type": "text", "text": "a"}]}, "finish_reason": "stop"}]},
    {"type": "message", "content": [{"type": "tool_use", "input": {"a": 1}}], "stop_reason": "tool_use", "usage": {}},
    {"error": {"message": "too long: 9000 tokens, maximum context length is 8192"}},
)  # fmt: skip
BROKEN_OFF = (b"\x01error: x\n\n", b"\x01event: error\ndata: x\n\n")
ANSWER = {
    "findings": [{"path": "a.py", "quote": "x = 1", "severity": "major", "title": "t", "body": "b", "confidence": 0.5}],
    "summary": "s",
}  # fmt: skip
TRIAGED = {"kind": "bug", "labels": ["bug"], "reply": "Thanks", "duplicates": [1], "summary": "s"}
PATCH = {
    "summary": "s",
    "edits": [
        {"path": "src/a.py", "search": "y = 2", "replace": "y = 3", "delete": False, "rename_to": ""},
        {"path": "new/c.py", "search": "", "replace": "z\n", "delete": False, "rename_to": ""},
        {"path": "b.txt", "search": "", "replace": "", "delete": True, "rename_to": ""},
        {"path": "é.md", "search": "é", "replace": "e", "delete": False, "rename_to": "e.md"},
    ],
}
LISTED = {
    "id": 12, "guid": "0b989ba4-242f", "delivered_at": "2026-03-03T20:00:00Z", "redelivery": False, "status_code": 202,
    "event": "issues", "action": "opened", "installation_id": 1, "repository_id": 2, "request": {"payload": BUG},
}  # fmt: skip
GIT = """diff --git a/a.py b/b.py
similarity index 90%
rename from a.py
rename to b.py
index 1a2b3c4..5d6e7f8 100644
--- a/a.py
+++ b/b.py
@@ -1,3 +1,3 @@ def f():
 a
-b
+c
 d
\\ No newline at end of file
diff --git "a/\\303\\251" "b/\\303\\251"
new file mode 100755
Binary files /dev/null and "b/\\303\\251" differ
"""
JUNIT = """<?xml version="1.0"?><testsuites><testsuite name="s" tests="3">
<testcase classname="a.B" name="one"/><testcase classname="a" name="two" status="failed"><failure message="m">x</failure>
</testcase><testcase file="f.py" name="three"><skipped/></testcase></testsuite></testsuites>"""
COBERTURA = """<coverage><packages><package><classes><class filename="a.py"><lines>
<line number="1" hits="2"/><line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines>
</class></classes></package></packages></coverage>"""
LCOV = b"TN:\nSF:a.py\nDA:1,2\nBRDA:1,0,0,-\nend_of_record\n"


def _archive(way: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", way) as made:
        for name in ("coverage.xml", "a/lcov.info"):
            made.writestr(zipfile.ZipInfo(name), LCOV, way)
    return packed.getvalue()


ARCHIVES = tuple(
    map(_archive, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
)
TOML = """[hob]
data_dir = "/tmp/x"
[github]
app_id = 1
webhook_secret = ["one-secret", "two-secret"]
[[hosts]]
name = "mini"
kind = "ollama"
url = "http://127.0.0.1:11434"
[models]
review = ["qwen3"]
[retention]
payload_days = 3
[code.tests."octo/tea"]
command = ["pytest", "-q"]
"""
YML = """# settings
language: en
review:
  auto: true
  paths: ["src/**", "!docs/**"]
  checks: {secrets: true, ruff: false}
  path_instructions:
    - path: "*.py"
      instructions: |
        Be kind.
labels: &a [bug]
more: *a
"""


def _file(name: str, text: str) -> bytes:
    return f"{name}\n{text}".encode()


FILES = (
    _file(".coderabbit.yaml", "language: en\nreviews:\n  path_filters: ['!dist/**']\n  auto_review:\n    drafts: true\n"
          "  path_instructions:\n    - path: '*.py'\n      instructions: x\n"),
    _file(".pr_agent.toml", "[config]\nresponse_language='en'\n[pr_reviewer]\nextra_instructions='''x'''\n[ignore]\nglob=['a']\n"),
    _file("CODEOWNERS", "# a\n* @octo/team\n/src/ @mona a@b.example\n"),
    _file("CLAUDE.md", "# Rules\nSee @../docs/a.md and `@b.md`\n```\n@c.md\n```\n"),
    _file("a.mdc", "---\nglobs: '*.py', src/**\nalwaysApply: false\n---\ntext\n"),
    _file("bug.yml", "name: Bug\ndescription: d\nlabels: [bug]\nbody:\n  - type: input\n    id: v\n    attributes:\n"
          "      label: Version\n    validations:\n      required: true\n"),
    _file("bug.md", "---\nname: Bug\nlabels: bug\n---\n## Steps\n<!-- say -->\n"),
    _file("tidy", "---\ntitle: Tidy\nwho: write\npaths: ['*.py']\n---\nTidy up.\n"),
)  # fmt: skip
SAID_TO_HOB = (
    b"@hob-bot review\n> quoted\n/hob fix 1\n```\n/hob fix\n```\n<!-- @hob-bot fix -->",
    b"On a wrote:\n> @hob-bot review\n\n- a\n  - @hob-bot explain why?\n\n$$\n/hob fix\n$$\n<details>\n\n/hob help\n</details>",
)
MARKUP = (
    b"# a @user\n\n- fixes #1 in o/r#2\n- [x](https://evil.example/?q=1)\n\n| a | b |\n|---|---|\n| ![i](//e) | `c` |\n",
    b"> quote\n> ```suggestion\n> x\n> ```\n\n<details><summary>s</summary>\n\n/merge\n\n</details> <!-- hob:v1 a b -->\n",
)
