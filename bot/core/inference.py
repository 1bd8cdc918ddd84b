"""The one port that an agent has to a model: an `Infer` takes a `Prompt` and gives a `Completion`, and tells
who listens the words as they come. Beside it `Embed`, which makes vectors of texts.

Everything behind it (which host, which model, what fits, repair, re-asking) is the business of
`bot.inference`. A failure is a value, never an exception: an agent says honestly what was not read.

One call of a model, as it is remembered: a line of a run's trace.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from bot.core.pictures import Picture


@dataclass(frozen=True, slots=True)
class ModelCall:
    """Who was asked what, and what it cost. `at` is epoch seconds; `failure` is empty for an answer that
    could be used, else why it could not; `left_out` names what the
    model did not get: passages, and credentials that were hidden."""

    at: float
    prompt: str
    role: str
    host: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    failure: str = ""
    left_out: tuple[str, ...] = ()
    cost_usd: float = 0.0
    cached: bool = False
    tokens_cached: int = 0
    """Of `tokens_in`, those that the host had read before and did not read anew."""
    said: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """(`system`, `user` or `assistant`, text) as they were sent, and last what the model answered; empty
    where nobody kept it."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool by a model, as it is remembered beside the calls of models. `at` is epoch seconds,
    `bytes` those of what it gave; `failure` is empty where it gave what was asked for."""

    at: float
    name: str
    arguments: str
    """As JSON, cut."""
    bytes: int = 0
    seconds: float = 0.0
    failure: str = ""


Role = Literal["review", "code", "triage", "chat", "embed"]
Failure = Literal["no_host", "too_large", "invalid", "truncated", "timeout", "budget", "no_tools"]
"""`no_tools`: nobody who could be asked calls tools."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may ask for instead of answering; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


TOOLS = (
    *("read_file", "search_code", "list_symbols", "callers", "related_issues", "recent_commits"),
    *("write_file", "run_checks", "run_tests"),
)
"""What a prompt file may name in `tools`; `bot.agents.tools` says what each is."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a model asked for. It is a model's words: the arguments are an object, and nothing else is
    certain of them."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    wrong: str = ""
    """For a person, why the call cannot be used: no such tool, arguments that are no object. It has none
    then."""


class AnswerModel(Protocol):
    """What a structured answer's type offers; every pydantic model does."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]: ...

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self: ...


T = TypeVar("T", bound=AnswerModel)


@dataclass(slots=True)
class Allowance:
    """How many calls of models several questions may make between them."""

    left: int

    def take(self) -> bool:
        """Whether one more may be made, which then counts."""
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of context that may be left out when the window is small.

    `priority`: the lower, the later it is dropped; 0 is never dropped (then the prompt is too large).
    """

    name: str
    text: str
    priority: int = 1


Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of the two said."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class EarlierTurn(Passage):
    """An earlier turn, which is left out of a small window as other passages are, and sent as a turn."""

    speaker: Speaker = "user"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Free text as an answer's type: its schema is empty, and every text that is not blank is one."""

    text: str

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        """ValueError for a blank text."""
        text = json_data if isinstance(json_data, str) else json_data.decode("utf-8", "replace")
        if not text.strip():
            raise ValueError("the answer is empty")
        return cls(text.strip())


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file of `prompts/` or of `prompts/agents/`: what a model is told, and how it is asked.

    `user` is a template of what is asked each time; without one, the passages and then the question.
    """

    name: str
    system: str
    role: Role = "chat"
    temperature: float = 0.2
    max_tokens: int = 1024
    """How long an answer may be, in tokens."""
    user: str = "{% if passages %}\n{{ passages }}\n\n{% endif %}\n{{ question }}"
    inputs: tuple[str, ...] = ("question",)
    passages: bool = True
    schema: str = ""
    tools: tuple[str, ...] = ()
    """Names of those that an agent with this file may be given."""


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """A prompt as it is sent to a model, with as much of its passages as fits."""

    system: str
    user: str
    temperature: float
    max_tokens: int
    turns: tuple[tuple[str, str], ...] = ()
    """(role, text) of what was said before `user`."""


@dataclass(slots=True)
class Beginning:
    """What all questions of one piece of work begin with, the same to the byte, so that a host reads it once:
    the system's words, the inputs, and the first `passages` of each. The rest is settled by the first that is
    asked."""

    passages: int = 0
    beside: int = 0
    """The most that one of them holds beside it (`bot.core.context_packing.passage_size`)."""
    fence: str = ""
    """Of all of them but those whose data hold it."""
    fitting: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)
    """(model, window) -> which of the passages are in it, for all or for none."""


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """A question: a file of `prompts/`, its declared inputs, passages by priority, the answer's type. A file
    that asks for `question` and is given no such input puts the last turn there, as it was said: whoever
    said it is obeyed, and an input is not."""

    name: str
    role: Role
    answer: type[T]
    inputs: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    turns: tuple[Turn, ...] = ()
    """What was said, oldest first, which is the first to be left out of a small window."""
    file: PromptFile | None = None
    """Instead of that of this name."""
    model: str = ""
    """Instead of the role's models: `NAME` or `NAME@HOST`."""
    specialty: str = ""
    """Instead of the role: only hosts that list it in `roles`, or none at all, are asked."""
    behind: int = 0
    """So many questions of the same kind come after it: a slow host that is free is worth while for them."""
    images: tuple[Picture, ...] = ()
    """Shown with the question: only models that read pictures are asked."""
    local: bool = False
    """No host outside the network is asked, whatever the settings allow."""
    retries: Allowance | None = field(default=None, compare=False)
    """Of which every call past the question's first takes one; None: each question has its own few."""
    tools: tuple[Tool, ...] = ()
    """What may be called instead of an answer; hosts and models without tools are left out."""
    last: str = ""
    """Hob's own words after all that the file says."""
    beginning: Beginning | None = field(default=None, compare=False)
    spare: tuple[str, ...] = ()
    """Inputs that are left out, and the beginning with them, where they leave no room for the passages after
    it."""
    length: int = 0
    """Tokens that its answer has, about; 0: as many as the model's answers have had."""

    @property
    def question(self) -> Turn | None:
        """The turn that is asked; None where inputs are."""
        asks = self.turns and "question" not in self.inputs
        return self.turns[-1] if asks else None

    @property
    def optional(self) -> tuple[Passage, ...]:
        """All that a small window may have to do without: the passages, and what was said before."""
        before = self.turns[:-1] if self.question else self.turns
        return *self.passages, *(
            EarlierTurn(f"said before by {turn.speaker}", turn.text, len(before) - number, turn.speaker)
            for number, turn in enumerate(before)
        )


@dataclass(frozen=True, slots=True, order=True)
class AskedHost:
    """A model of a host that was sent a prompt. `online`: outside the user's network."""

    host: str
    model: str
    online: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """One answer of a model, for the ledger."""

    purpose: str
    host: str
    model: str
    tokens_in: int
    tokens_out: int
    seconds: float
    tokens_cached: int = 0
    """Of `tokens_in`, those that the host had read before and did not read anew."""


@dataclass(frozen=True, slots=True)
class Completion(Generic[T]):
    """What came back. Exactly one of `value`, `failure` and `tool_calls` is set."""

    value: T | None = None
    failure: Failure | None = None
    reason: str = ""
    """For a person: why there is no value, one sentence."""
    text: str = ""
    backend: str = ""
    """The kind of host that was asked last: `ollama`, `openai`, …"""
    host: str = ""
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    left_out: tuple[str, ...] = ()
    """Names of the passages that did not fit and were not read."""
    cut: tuple[str, ...] = ()
    """Names of the passages of which only the beginning was read."""
    calls: int = 0
    """How often a model was asked; tokens, seconds and cost are of all these calls together."""
    hidden: tuple[str, ...] = ()
    """The kinds of credentials that were taken out before a host outside the network was asked."""
    cost_usd: float = 0.0
    dropped: int = 0
    """Items of the answer's lists that could not be understood and are not in `value`."""
    note: str = ""
    """For a reader, one sentence: what is to be known of how the answer came about."""
    cached: bool = False
    """Nobody was asked: the very same question was answered before."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What is to be called before there is an answer; at least one of them can be used."""
    tokens_cached: int = 0
    """Of `tokens_in`, those that hosts had read before and did not read anew."""
    sent_to: tuple[AskedHost, ...] = ()
    """Everybody who was sent the prompt, whatever they said to it."""

    @property
    def truncated(self) -> bool:
        """Whether part of what was to be read was not."""
        return bool(self.left_out or self.cut)

    def usage(self, purpose: str) -> tuple[Usage, ...]:
        """For the ledger; empty when no model was reached."""
        if not self.model:
            return ()
        tokens = self.tokens_in, self.tokens_out
        return (Usage(purpose, self.host, self.model, *tokens, self.seconds, self.tokens_cached),)


OnText = Callable[[str], None]


class Infer(Protocol):
    """Asks a model. `await infer(prompt)`; `on_text` hears the answer's words as they come. Of free text
    (`Spoken`) it hears one text without thoughts, however many tries it takes; of any other answer, what each
    try says."""

    async def __call__(self, prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]: ...


Purpose = Literal["document", "query"]
"""What a text is embedded for: to be found, or to find others. Some models want to be told."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What came back for some texts. There are either `vectors` or a `failure`."""

    vectors: tuple[tuple[float, ...], ...] = ()
    """One for each text, all of one length and of norm 1: their cosine is their dot product."""
    model: str = ""
    """Which very model made them, `NAME@DIGEST` where the host tells: only its own vectors compare."""
    failure: Failure | None = None
    reason: str = ""
    """For a person: why there are none, one sentence."""
    host: str = ""
    cut: int = 0
    """Of so many texts only the beginning was read."""
    seconds: float = 0.0


class Embed(Protocol):
    """Makes vectors of texts that are near each other where the texts mean like things.

    `await embed(texts)`; `model`, as an earlier answer named it, asks that very model or nobody. A failure is
    a value."""

    async def __call__(
        self, texts: Sequence[str], /, purpose: Purpose = "document", model: str = ""
    ) -> Embedding: ...
