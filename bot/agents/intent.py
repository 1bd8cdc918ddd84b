"""Understands free text: which command a person means, by rules where the words are unmistakable, else by one
question to a model. Who it is from and what may come of it is decided by whoever asks."""

from collections.abc import Sequence

from pydantic import BaseModel

from bot.core.inference import Allowance, Infer, Prompt, Usage
from bot.core.intents import QUESTION, Intent, OfferedCommand, by_rules, checked, own_words

MOST_OFFERED = 60


class IntentAnswer(BaseModel):
    command: str = ""
    argument: str = ""


async def understand(
    text: str, where: str, offered: Sequence[OfferedCommand], infer: Infer
) -> tuple[Intent, tuple[Usage, ...]]:
    """`where` is Hob's own word for the place. The model hears the person's own words and of no other text;
    what it names counts only where it was offered. It is asked once; where it gives no answer the rules'
    guess counts."""
    said = own_words(text)
    guess = by_rules(said, offered)
    if guess.sure or not said or not offered:
        return guess, ()
    answer = await infer(_prompt(said, where, offered))
    used = answer.usage("intent")
    if answer.value is None:
        return guess, used
    meant = Intent(answer.value.command, answer.value.argument)
    return checked(meant, said, offered) if meant.name else QUESTION, used


def _prompt(said: str, where: str, offered: Sequence[OfferedCommand]) -> Prompt[IntentAnswer]:
    listed = [f"{one.name}: {one.help[:200]}" for one in offered[:MOST_OFFERED]]
    return Prompt(
        name="intent",
        role="chat",
        answer=IntentAnswer,
        inputs={
            "commands": "\n".join([*listed, "ask: answers a question"]),
            "where": where,
            "said": said,
        },
        retries=Allowance(0),
    )
