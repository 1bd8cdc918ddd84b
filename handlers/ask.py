"""Answers a question about a conversation and its change: `@slug ask`, or anything that is no command."""

from bot.agents.ask import reply
from bot.agents.dependencies import dependency_answer
from bot.agents.records import WithRecords
from bot.agents.research import MOST_ROUNDS, Research
from bot.context import Context, answer
from bot.core.code_search import AtHead
from bot.core.dependency_questions import dependency_question
from bot.core.effects import Comment, Plan, ReplyInThread
from bot.core.events import CommentEvent, ReviewCommentEvent
from bot.core.facts import ThreadFacts
from bot.core.github_reader import conversation
from bot.core.inference import Usage
from bot.pull_request_facts import select
from bot.router import Router

router = Router()
UNINDEXED = (
    "*(I have not indexed this repository yet: this is from the conversation and what I could read beside it."
    " The index is being made now; ask again in some minutes for an answer from all of it.)*"
)


@router.command(
    "ask",
    help="answers a question about this conversation, its change, the repository and its issues",
    may={Comment, ReplyInThread},
    stored_as="comments.ask",
)
async def ask(event: CommentEvent, ctx: Context) -> Plan:
    """In place: under a line in its thread, elsewhere as a comment."""
    question = ctx.command.argument if ctx.command else ""
    if not question:
        return Plan((answer(event, f"Ask me something: `@{ctx.slug} ask why is this cached?`"),))
    if (about := dependency_question(question)) and (
        said := await dependency_answer(about, ctx.github, ctx.repo.full_name, event.number)
    ):
        return Plan((answer(event, said),), reason="asked what waits for what: answered by query")
    unindexed = ctx.knowledge is not None and await ctx.knowledge.unindexed()
    facts = await _thread_facts(ctx, event, question)
    rounds = MOST_ROUNDS if ctx.knowledge and ctx.idle else 0
    library = WithRecords(facts.library, ctx.knowledge, ctx.github, event.number)
    agent = Research.of(ctx.persona, ctx.infer, library, rounds=rounds)
    body, used = await reply(facts, agent)
    told = f"{body}\n\n{UNINDEXED}" if unindexed else body
    return Plan((answer(event, told),), reason="a question was asked", usage=used)


async def _thread_facts(ctx: Context, event: CommentEvent, question: str) -> ThreadFacts:
    """What stands around a question: the conversation, and on a pull request its change."""
    spent: list[Usage] = []
    if not event.on_pull_request:
        issue = await ctx.github.issue(event.number)
        comments = await ctx.github.comments(event.number, issue.comments)
        return ThreadFacts(
            context=await ctx.repository(),
            number=event.number,
            title=issue.title,
            body=issue.body,
            question=question,
            asker=event.author.login,
            conversation=conversation(comments, without=event.comment_id),
            unheard=max(0, issue.comments - len(comments)),
            library=ctx.searched(ctx.knowledge, spent),
            spent=spent,
            slug=ctx.slug,
        )
    state = await ctx.github.pull_request(event.number)
    unheard = 0
    if isinstance(event, ReviewCommentEvent):
        comments = await ctx.github.thread(event.number, event.comment_id)
    else:
        comments = await ctx.github.comments(event.number, state.comments)
        unheard = max(0, state.comments - len(comments))
    context = await ctx.repository(state.base_sha)
    files, _ = select(await ctx.github.files(event.number), context.settings.review.paths)
    paths = [file.path for file in files]
    texts = await ctx.github.texts(state.head_sha, paths)
    return ThreadFacts(
        context=context,
        number=event.number,
        title=state.title,
        body=state.body,
        question=question,
        asker=event.author.login,
        conversation=conversation(comments, without=event.comment_id),
        unheard=unheard,
        files=tuple(files),
        head_sha=state.head_sha,
        library=AtHead(frozenset(paths), texts, ctx.searched(ctx.knowledge, spent, state.base_sha)),
        spent=spent,
        slug=ctx.slug,
    )
