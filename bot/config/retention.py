"""The table `[retention]`: for how many days things are kept."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.config.fields import ConfigTable

DAY = 86_400.0
LONGEST = 36_500
FOR_GOOD = 0


def _days(least: int, why: str, *, or_zero: bool = False) -> AfterValidator:
    def check(value: int) -> int:
        if value < least and not (or_zero and value == FOR_GOOD):
            raise ValueError(f"at least {least} days{', or 0 for good' if or_zero else ''}, for {why}")
        return value

    return AfterValidator(check)


Days = Annotated[int, Field(ge=0, le=LONGEST)]


class RetentionTable(ConfigTable):
    """`[retention]`. 0, where it is allowed: for good; clones and indexes as long as the App has access."""

    payloads_days: Annotated[
        Days,
        _days(
            4,
            "GitHub sends a delivery again for about three days, and one that is not known is taken for new",
        ),
    ] = 30
    traces_days: Annotated[Days, _days(1, "the day's calls are what the dashboard and `hob doctor` show")] = (
        30
    )
    drafts_days: Annotated[Days, _days(1, "a draft that was just posted is not posted again")] = 30
    effects_days: Annotated[
        Days,
        _days(
            30,
            "`undo`, and what was said already and is not said twice, are read from them",
            or_zero=True,
        ),
    ] = FOR_GOOD
    usage_days: Annotated[Days, _days(2, "[budget] counts what was spent today", or_zero=True)] = FOR_GOOD
    clones_days: Annotated[Days, _days(1, "a clone in use is not to be fetched again", or_zero=True)] = (
        FOR_GOOD
    )
    indexes_days: Annotated[Days, _days(1, "an index in use is not to be made again", or_zero=True)] = (
        FOR_GOOD
    )
