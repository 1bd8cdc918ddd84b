"""The process in which a model runs: `python -m bot.inference.runners.mlx_worker`, one JSON object a line on
stdin and stdout. It holds one model at a time and never downloads one.

In: {"do": "chat", "folder", "adapter", "system", "turns", "schema", "num_ctx", "max_tokens", "temperature"}
and {"do": "stop"}; `adapter` is a folder too, or empty. Out: {"loaded": folder, "seconds"}, {"word": text} …,
and at the end of each chat one {"done": {…}} or {"error": name of a RunnerError, "message", "sent", "limit"}.
"""

import gc
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

from bot.inference.runners.server_quirks import in_prompt
from bot.inference.structured_output import closed

WorkerMessage = dict[str, Any]
_SHOWN_ERROR = 300
_FORM = {"whitespace_pattern": r"[ \n]{0,12}", "lenient": True}
"""White space without end is an answer without end: weak models lose themselves in it."""


class _Refusal(Exception):
    """A chat that cannot be held; the arguments are the message's fields."""

    def __init__(self, error: str, message: str, **fields: int) -> None:
        super().__init__(message)
        self.fields = {"error": error, "message": message, **fields}


class Resident:
    """The model in memory."""

    def __init__(self, say: Callable[[WorkerMessage], None]) -> None:
        self._say = say
        self._held = ("", "")
        self.model: Any = None
        self.tokenizer: Any = None
        self._vocabulary: Any = None
        self._cache: Any = None
        self._read: list[int] = []
        """The prompt that is in the cache, with more behind it."""

    def hold(self, folder: str, adapter: str = "") -> None:
        """Loads the model of this folder, with the adapter of another where one is named, in the place of the
        one that is there; `_Refusal`."""
        if (folder, adapter) == self._held:
            return
        from mlx import core
        from mlx_lm import load

        self._held, self.model, self.tokenizer, self._vocabulary = ("", ""), None, None, None
        self.forget()
        gc.collect()
        core.clear_cache()
        begun = time.monotonic()
        try:
            self.model, self.tokenizer = load(folder, adapter_path=adapter or None)
        except Exception as error:  # a model's files may be anything
            raise _Refusal("ModelMissing", f"the model cannot be loaded ({_short(error)})") from None
        self._held = (folder, adapter)
        self._say({"loaded": folder, "seconds": time.monotonic() - begun})

    def tokens(self, system: str, turns: list[dict[str, str]]) -> list[int]:
        """The prompt by the model's own chat template, which is asked not to let it think."""
        try:
            made = self._templated([{"role": "system", "content": system}, *turns])
        except Exception:  # a template may refuse the role `system`, in words of its own
            first = {**turns[0], "content": f"{system}\n\n{turns[0]['content']}"}
            made = self._templated([first, *turns[1:]])
        return made

    def _templated(self, messages: list[dict[str, str]]) -> list[int]:
        plain = [{**one, "content": self._plain(one["content"])} for one in messages]
        made = self.tokenizer.apply_chat_template(
            plain, add_generation_prompt=True, tokenize=True, return_dict=False, enable_thinking=False
        )
        return list(made)

    def _plain(self, text: str) -> str:
        """Without the model's own marks of a turn's end and beginning, by which what is quoted in a question
        could leave it and speak for somebody else."""
        added = self.tokenizer.added_tokens_decoder.values()
        marks = {*self.tokenizer.all_special_tokens, *(str(one) for one in added if one.special)}
        for mark in sorted(marks, key=len, reverse=True):
            text = text.replace(mark, f"{mark[:1]} {mark[1:]}") if mark.strip() else text
        return text

    def kept(self, tokens: list[int]) -> tuple[Any, int]:
        """The cache for a prompt, and how many of its tokens were read before: those with which the last one
        began too, so that questions about one change read it once. At least one is left to be read."""
        from mlx_lm.models.cache import can_trim_prompt_cache, make_prompt_cache, trim_prompt_cache

        pairs = enumerate(zip(self._read, tokens, strict=False))
        same = next((at for at, (old, new) in pairs if old != new), min(len(self._read), len(tokens)))
        held = min((getattr(one, "offset", 0) for one in self._cache), default=0) if self._cache else 0
        same = min(same, len(tokens) - 1, held)
        if same and can_trim_prompt_cache(self._cache):
            trim_prompt_cache(self._cache, held - same)
        else:
            self._cache, same = make_prompt_cache(self.model), 0
        self._read = tokens
        return self._cache, same

    def forget(self) -> None:
        """What was read may not be whole."""
        self._cache, self._read = None, []

    def holder(self, schema: WorkerMessage) -> Callable[[Any, Any], Any] | None:
        """What holds the model to a schema while it speaks; None where that cannot be had."""
        if not schema or importlib.util.find_spec("llguidance") is None:
            return None
        from llguidance import LLMatcher, hf

        grammar = LLMatcher.grammar_from_json_schema(closed(schema), overrides=_FORM)
        if LLMatcher.validate_grammar(grammar):
            return None
        if self._vocabulary is None:
            try:
                ends = sorted(self.tokenizer.eos_token_ids)
                self._vocabulary = hf.from_tokenizer(self.tokenizer._tokenizer, eos_token=ends)  # noqa: SLF001
            except ValueError:  # a tokenizer of another make
                return None
        return _held(LLMatcher(self._vocabulary, grammar), self._vocabulary.vocab_size)


def _held(matcher: Any, vocabulary: int) -> Callable[[Any, Any], Any]:
    """A logits processor that leaves only what the grammar allows next."""
    import numpy
    from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask
    from mlx import core

    mask = allocate_token_bitmask(1, vocabulary)
    begun = False

    def process(tokens: Any, logits: Any) -> Any:
        nonlocal begun
        if begun and not matcher.is_stopped():
            matcher.consume_token(int(tokens[-1].item()))
        begun = True
        if matcher.is_error():
            raise _Refusal("Broken", "the answer could not be held to its schema")
        fill_next_token_bitmask(matcher, mask, 0)
        bits = numpy.unpackbits(mask.view(numpy.uint8), bitorder="little")[:vocabulary]
        allowed = numpy.zeros(logits.shape[-1], bool)  # models are wider than their vocabulary
        allowed[: len(bits)] = bits
        return core.where(core.array(allowed), logits, core.array(-float("inf"), dtype=logits.dtype))

    return process


class Worker:
    """Takes one chat after the other. `stopping` ends the one under way."""

    def __init__(self, say: Callable[[WorkerMessage], None]) -> None:
        self.stopping = threading.Event()
        self._say = say
        self._resident = Resident(say)

    def chat(self, asked: WorkerMessage) -> None:
        """One chat, to its end."""
        try:
            self._say({"done": self._chat(asked)})
        except _Refusal as refusal:
            self._say(refusal.fields)
        except ImportError as error:
            hint = f"MLX is not installed here ({error.name}): type `make .venv/.mlx`"
            self._say({"error": "HostDown", "message": hint})
        except Exception as error:  # whatever a model does, the next chat is heard
            self._resident.forget()
            self._say({"error": "Broken", "message": f"the model failed: {_short(error)}"})

    def _chat(self, asked: WorkerMessage) -> WorkerMessage:
        self._resident.hold(asked["folder"], asked["adapter"])
        holder = self._resident.holder(asked["schema"])
        system = (
            asked["system"] if holder or not asked["schema"] else in_prompt(asked["system"], asked["schema"])
        )
        tokens = self._resident.tokens(system, asked["turns"])
        if len(tokens) + asked["max_tokens"] > asked["num_ctx"]:
            raise _Refusal(
                "TooLong", "the prompt is longer than it reads", sent=len(tokens), limit=asked["num_ctx"]
            )
        last: Any = None
        cache, cached = self._resident.kept(tokens)
        for last in self._pieces(tokens[cached:], asked, holder, cache):
            if last.text:
                self._say({"word": last.text})
            self._check()
        return {
            "tokens_in": len(tokens),
            "tokens_cached": cached,
            "tokens_out": last.generation_tokens,
            "complete": last.finish_reason != "length",
        }

    def _pieces(
        self, tokens: list[int], asked: WorkerMessage, holder: Callable[[Any, Any], Any] | None, cache: Any
    ) -> Iterator[Any]:
        from mlx_lm import stream_generate
        from mlx_lm.sample_utils import make_sampler

        pieces: Iterator[Any] = stream_generate(
            self._resident.model,
            self._resident.tokenizer,
            tokens,
            max_tokens=asked["max_tokens"],
            sampler=make_sampler(temp=asked["temperature"]),
            logits_processors=[holder] if holder else None,
            prompt_cache=cache,
            prompt_progress_callback=lambda *_: self._check(),
        )
        return pieces

    def _check(self) -> None:
        if self.stopping.is_set():
            raise _Refusal("Broken", "it was stopped")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_SHOWN_ERROR]


def _take(worker: Worker, chats: "SimpleQueue[WorkerMessage]") -> None:
    """Reads what is asked; the process ends with the one that began it."""
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if asked["do"] == "stop":
            worker.stopping.set()
        else:
            chats.put(asked)
    os._exit(0)


def main() -> None:
    """Serves until stdin ends. What libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    worker = Worker(lambda message: _write(answers, message))
    chats: SimpleQueue[WorkerMessage] = SimpleQueue()
    threading.Thread(target=_take, args=(worker, chats), daemon=True).start()
    while True:
        asked = chats.get()
        worker.stopping.clear()
        worker.chat(asked)


def _write(answers: Any, message: WorkerMessage) -> None:
    answers.write(json.dumps(message).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
