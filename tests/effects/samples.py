"""One of each effect, with a text in each field that people will read."""

from bot.core.dashboard_issue import Box
from bot.core.effects import (
    AddLabels,
    Annotation,
    BeginCheck,
    Comment,
    DeleteBranch,
    DeleteComment,
    DismissReview,
    DropDraft,
    EditComment,
    EditIssue,
    EditPullRequest,
    EditReview,
    Effect,
    Forget,
    KeepDraft,
    LineComment,
    OpenIssue,
    OpenPullRequest,
    PostReview,
    PushCommit,
    React,
    Remember,
    RemoveLabels,
    ReplyInThread,
    RequestCommand,
    ResolveThread,
    RevertCommit,
    SetCheck,
    SetIssueType,
    SetPull,
    TakenBack,
    WithdrawPullRequest,
)
from bot.core.memory import Lesson
from bot.core.merging import CommittedFile
from bot.core.refs import Actor, Login, Sha

HEAD = Sha("a" * 40)
LESSON = Lesson("convention", "We never divide by zero.", Login("mona"))


def samples(text: str = "x") -> dict[type[Effect], Effect]:
    several = (
        PostReview(1, HEAD, text, (LineComment("tea.py", 20, text, suggestion=text),)),
        EditReview(1, 1, text),
        DismissReview(1, 1, text),
        ReplyInThread(1, 1, text, suggestion=text),
        ResolveThread(1, "PRRT_1"),
        SetCheck(HEAD, "neutral", text, text, text, (Annotation("tea.py", 1, 1, "notice", text, text),)),
        BeginCheck(HEAD, text, text),
        Comment(1, text, text),
        EditComment(1, 1, text, text),
        DeleteComment("review_comment", 1),
        AddLabels(1, ("bug",)),
        RemoveLabels(1, ("bug",)),
        SetIssueType(1, "Bug"),
        React("issue_comment", 1, "eyes"),
        EditPullRequest(1, text, text),
        Remember(LESSON),
        Forget(1),
        PushCommit(1, "hob/x", HEAD, (CommittedFile("a.py", "x = 1"),), text, (text,)),
        OpenPullRequest(1, "hob/x", "main", text, text, text),
        WithdrawPullRequest(1),
        DeleteBranch("hob/x"),
        RevertCommit("hob/x", HEAD),
        SetPull(1, "paused"),
        TakenBack(1),
        RequestCommand(1, "/hob help", Actor(Login("mona"), 1), "box:1"),
        KeepDraft(1, text, "triage"),
        OpenIssue(text, text, "nightly", text, (Box(text, "/hob help", 1),)),
        EditIssue(1, text, text, (Box(text, "/hob help", 1),)),
        DropDraft(1, KeepDraft(1, text, "triage")),
    )
    return {type(one): one for one in several}
