"""Reviews held-out pull requests with one model, as `hob eval` does: the same review, matching and sums."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.config import Config
from bot.config.tuned import MLX
from bot.core.adapter_records import Evaluation
from bot.core.adapters import Adapter
from bot.core.hosts import Host
from bot.evals.cases import Case
from bot.evals.trial import Trial
from bot.inference.egress import EgressGuard
from bot.scripting import Workshop

THRESHOLD = 0.0
"""Every finding that the App would post."""


async def evaluated(
    config: Config,
    model: str,
    cases: Sequence[Case],
    repo_id: int,
    adapter: Adapter | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """`adapter`: the model's own, where it has one."""
    host = replace(mlx_host(config), adapters=(adapter,) if adapter else ())
    guard = EgressGuard(repo_id=repo_id)
    async with Workshop(config, hosts=[host], guard=guard) as shop:
        (row,) = await Trial(cases, (THRESHOLD,)).run(model, shop.infer("low", (model,)), told)
    return Evaluation(tuple(row.scores), row.failed)


def mlx_host(config: Config) -> Host:
    """The configuration's first of this kind, else one as if it were there. It serves every role here."""
    found = next((table.host() for table in config.hosts if table.kind == MLX), Host(MLX, MLX, ""))
    return replace(found, roles=())
