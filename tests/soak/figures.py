"""What a soak is judged by."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.bench.figure import Figure
from tests.bench.load import quantile
from tests.soak.sampling import Life, Sample, Slope, leaked, slope
from tests.soak.soak import Soaked

MOST_MB_PER_HOUR = 2.0
WARM_SHARE, WARM_SECONDS = 0.2, 300.0
"""Of a process's life that is left out: this share of the run, and no more than so many seconds."""
LEAST_SECONDS = 600.0
"""Of the longest life after that, from which on growth is judged: before it says nothing."""
MOST_TIMES = 2.0
NAMED = ("The commit_id is not part of the pull request",)
"""Why a run may be given up: pushed over by force between the last look and the word; the person is told."""
SHOWN = 3


def figures(soaked: Soaked) -> Iterator[Figure]:
    verdict, plan = soaked.verdict, soaked.plan
    left = soaked.unsettled
    settled = len(soaked.acts) - len(left)
    yield Figure("events settled", f"{settled:,} of {len(soaked.acts):,}{_some(left)}", "all", not left)
    pace = len(soaked.acts) / max(soaked.took, 1)
    told = f"{soaked.took / 60:.1f} min, {pace:.2f}/s, at most {soaked.lag:.1f} s behind"
    yield Figure("all sent in", told, f"{plan.seconds / 60:g} min", soaked.took < plan.seconds * 1.05 + 5)
    yield Figure("settled after the last", f"{soaked.settled_after:.0f} s", "-", True)
    yield Figure("faults", _counted(Counter(one.what for one in soaked.struck)), "-", True)
    for name, what in (("lost", verdict.lost), ("twice", verdict.twice), ("unknown", verdict.unknown)):
        of = f"{len(what)} of {verdict.effects:,}"
        yield Figure(f"effects {name}", f"{of}{_some(what)}", "0", not what)
    yield Figure(
        "effects that wait for something", f"{len(verdict.open)}{_some(verdict.open)}", "0", not verdict.open
    )
    named = {why: count for why, count in verdict.dead.items() if any(one in why for one in NAMED)}
    dead = verdict.dead.total() - sum(named.values())
    told = f"{dead}, {sum(named.values())} named{_some(list(verdict.dead))}"
    yield Figure("dead letters without a named reason", told, "0", not dead)
    yield Figure("how runs ended", _counted(verdict.ends), "-", True)
    for prefix, name in (("serve", "receiver"), ("work", "workers")):
        yield from _of_process(soaked, prefix, name)
    yield _quiet(soaked)
    total = sum(soaked.cpu.values()) / max(len(soaked.acts) + len(soaked.alone), 1)
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in soaked.cpu.items())
    yield Figure("processors' time", f"{total:.2f} s an event ({each})", "-", True)
    ended = {name: count for name, count in soaked.ended_by_themselves.items() if count}
    yield Figure("processes that ended by themselves", str(ended or 0), "0", not ended)
    endless = soaked.redis_keys.get("without an end", 0)
    told = f"{endless} of {soaked.redis_keys.get('all', 0):,}"
    yield Figure("keys in Redis without an end", told, "<= 40", endless <= 40)
    yield Figure(
        "connections to PostgreSQL, at rest", str(soaked.connections), "<= 40", soaked.connections <= 40
    )


def _of_process(soaked: Soaked, prefix: str, name: str) -> Iterator[Figure]:
    lives = [one for one in soaked.lives if one.name.startswith(prefix)]
    warm = min(WARM_SECONDS, WARM_SHARE * soaked.plan.seconds)
    found = _slope(lives, warm)
    judged = max((_seconds(life.after(warm)) for life in lives), default=0.0) >= LEAST_SECONDS
    each = ", ".join(
        f"{life.name} {_slope([life], warm).per_hour:+.1f}" for life in lives if len(life.after(warm)) > 30
    )
    told = f"{found.per_hour:+.2f} ± {found.error:.2f} MB/h over {found.hours * 60:.0f} min"
    bar = f"<= {MOST_MB_PER_HOUR:g} MB/h" if judged else "too short to judge"
    yield Figure(
        f"memory of {name}, slope",
        f"{told} ({each})" if each else told,
        bar,
        found.per_hour <= MOST_MB_PER_HOUR or not judged,
    )
    most = max((one.rss for life in lives for one in life.samples), default=0.0)
    yield Figure(f"memory of {name}, most (RSS)", f"{most:.0f} MB", "-", True)
    for what in ("descriptors", "threads"):
        values = {
            f"{life.name}:{life.pid}": [getattr(one, what) for one in life.after(warm)] for life in lives
        }
        grown = {key: leaked(series) for key, series in values.items() if len(series) >= 12}
        most_open = max((max(series) for series in values.values() if series), default=0)
        worst = max(grown.values(), default=0)
        told = f"{worst:+d} (at most {most_open} at once)"
        bar = "<= 0" if judged else "too short to judge"
        yield Figure(f"{what} of {name}, least late over most early", told, bar, worst <= 0 or not judged)


def _seconds(samples: Sequence[Sample]) -> float:
    return samples[-1].at - samples[0].at if samples else 0.0


def _slope(lives: Sequence[Life], warm: float) -> Slope:
    return slope([[(one.at, one.rss) for one in life.after(warm)] for life in lives])


def _quiet(soaked: Soaked) -> Figure:
    """Beside itself alone. Events that a fault of a process came near wait for its repair and not for the
    others; they are told, and not judged."""
    alone = [one.seconds for one in soaked.alone if one.seen_at]
    beside, every = soaked.of_quiet(touched=False), soaked.of_quiet(touched=True)
    if not alone or not beside:
        return Figure("p95 of the quiet account", "no event of it was seen", "<= 2 x alone", False)
    p95, bar = quantile(beside, 0.95), MOST_TIMES * quantile(alone, 0.95)
    told = (
        f"{p95:.2f} s of {len(beside)} away from faults ({quantile(every, 0.95):.2f} s of all {len(every)}); "
        f"alone {quantile(alone, 0.95):.2f} s of {len(alone)}"
    )
    return Figure("p95 of the quiet account, event to effect", told, f"<= {bar:.2f} s", p95 <= bar)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"


def _some(found: Sequence[object]) -> str:
    """The first of what is wrong."""
    shown = "; ".join(str(one)[:200] for one in found[:SHOWN])
    return f": {shown}" if shown else ""
