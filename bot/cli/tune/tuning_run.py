"""`hob tune run` from what was exported to a verdict. What was killed goes on at the step it was at: a
training that ended is not repeated, nor is the look at the base model."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from bot.cli.framework import tell
from bot.cli.tune.training import private_folder, train
from bot.cli.waiting import TellWaiting
from bot.config import Config
from bot.config.tuned import ALLOW, MLX, NOT_ALLOWED, WEIGHTS
from bot.core.adapter_records import FEW, AdapterRecord, Evaluation, evaluation_of
from bot.core.adapters import Adapter
from bot.core.errors import TemporaryError, UserError
from bot.core.hosts import Host
from bot.core.training import Losses, TrainingSettings
from bot.core.tuning import CASES
from bot.evals.bootstrap import better_share
from bot.evals.cases import Case, load_cases
from bot.evals.files import json_files
from bot.evals.trial import Trial
from bot.inference.egress import EgressGuard
from bot.inference.runners.mlx import cached
from bot.knowledge.locking import locked
from bot.paths import make_private, put_private
from bot.runs.tuning_folder import NEW, TuneFolder, tune_folder
from bot.scripting import Workshop

THRESHOLD = 0.0
"""Every finding that the App would post."""
LOSSES = "losses.json"
"""Written when a training is over."""
LOCK_SECONDS = 2.0
"""How long the training of a run that was killed just now may take to end."""


@dataclass(frozen=True, slots=True)
class TuningRun:
    """Of one repository and base model."""

    config: Config
    repository: str
    base: str
    settings: TrainingSettings
    waiting: TellWaiting

    async def run(self, *, again: bool, accept_few: bool) -> AdapterRecord:
        """UserError where there is nothing to train with, on or for."""
        folder = tune_folder(self.config, self.repository)
        model = self._model()
        manifest = folder.exported()
        if manifest.private and not self.config.privacy.tune:
            raise UserError(f"{self.repository} was private when it was exported, and {NOT_ALLOWED}", ALLOW)
        if manifest.max_tokens > self.settings.max_tokens:
            most = self.settings.max_tokens
            raise UserError(
                f"examples of up to {manifest.max_tokens:,} tokens are exported, and of what is longer than "
                f"{most:,} the end would be cut off, which is the answer",
                f"run `hob tune export {self.repository} --max-tokens {most}`",
            )
        cases, cases_digest = held_out(folder)
        digest = self.settings.digest(manifest.digest, self.base, model.name)
        make_private(folder.place(digest).parent)
        begun = AdapterRecord(
            manifest.repository,
            manifest.repo_id,
            self.base,
            model.name,
            digest,
            manifest.digest,
            datetime.now(UTC).isoformat(timespec="seconds"),
            self.settings,
            Losses(0.0, 0.0, validation=False),
            cases_digest,
            few_accepted=accept_few,
            private=manifest.private,
        )
        try:
            async with locked(folder.path / "run.lock", LOCK_SECONDS) as lock:
                return await self._record(folder, model, begun, cases, again, lock)
        except TemporaryError:
            raise UserError(
                f"a model is being trained on {self.repository}", "wait for that, or stop it"
            ) from None

    async def _record(
        self,
        folder: TuneFolder,
        model: Path,
        begun: AdapterRecord,
        cases: Sequence[Case],
        again: bool,
        lock: int,
    ) -> AdapterRecord:
        """What is kept of it, or what comes out."""
        kept = next((one for one in folder.records() if one.digest == begun.digest), None)
        place = folder.place(begun.digest)
        if kept and not again and kept.cases == begun.cases:
            tell(f"{kept.name} was trained on {kept.made[:10]}: --again trains it anew")
            if begun.few_accepted and not kept.few_accepted:
                kept = replace(kept, few_accepted=True)
                folder.keep(kept, place)
            return kept
        if len(cases) < FEW and not begun.few_accepted:
            tell(f"few pull requests are held out ({len(cases)}): without --accept-few it will be refused")
        # What is trained already is tried on other cases where it lies.
        work = place if kept and not again else place.with_suffix(NEW)
        for other in place.parent.glob(f"*{NEW}"):
            if (again and other == work) or not (other / LOSSES).is_file():
                shutil.rmtree(other, ignore_errors=True)
        record = replace(begun, losses=await self._trained(folder, model, begun, work, lock))
        if record.losses.fell:
            before = await self._before(record, cases, work)
            after = await self._evaluated(record, cases, record.adapter(str(work)))
            self._refuse_purged(work)
            share = better_share(before.scores, after.scores)
            record = replace(record, before=before, after=after, better_in=share)
        return folder.keep(record, work)

    def _model(self) -> Path:
        """The base model's files."""
        if find_spec("mlx_lm") is None:
            raise UserError("MLX is not installed here", "type `make .venv/.mlx` in Hob's folder")
        found = dict(cached())
        if self.base not in found:
            raise UserError(
                f"{self.base[:200]} is not in the Hugging Face cache of this machine, "
                f"which has {', '.join(sorted(found)) or 'no model that mlx-lm could load'}",
                "get it with `hf download NAME`, or name one that is there with --model",
            )
        return found[self.base]

    async def _trained(
        self, folder: TuneFolder, model: Path, begun: AdapterRecord, work: Path, lock: int
    ) -> Losses:
        """Its losses, of now or of a run that was broken off after it."""
        is_read = False

        def told(line: str) -> None:
            nonlocal is_read  # with the first line all examples are
            if not is_read and folder.exported().digest != begun.data:
                raise UserError(f"{self.repository} was exported anew meanwhile", "run it again")
            is_read = True
            self._told(line)

        done = work / LOSSES
        if done.is_file() and (work / WEIGHTS).is_file():
            tell("it is trained already, and is tried now")
            return Losses(**json.loads(done.read_text(encoding="utf-8")))
        losses = await train(model, folder.data, private_folder(work), self.settings, told, lock)
        put_private(done, json.dumps(asdict(losses)))
        tell(str(losses))
        return losses

    async def _before(self, record: AdapterRecord, cases: Sequence[Case], work: Path) -> Evaluation:
        """Of the base model, of now or of a run that was broken off after it."""
        file = work / f"before-{record.cases[:12]}.json"
        if file.is_file():
            return evaluation_of(json.loads(file.read_text(encoding="utf-8")))
        before = await self._evaluated(record, cases)
        self._refuse_purged(work)
        put_private(file, json.dumps(asdict(before)))
        return before

    async def _evaluated(
        self, record: AdapterRecord, cases: Sequence[Case], adapter: Adapter | None = None
    ) -> Evaluation:
        name = adapter.name if adapter else record.base
        made = await evaluated(self.config, name, cases, record.repo_id, adapter, self._told)
        tell(f"{name}: {made}")
        return made

    def _refuse_purged(self, work: Path) -> None:
        """Nothing is written of a repository whose folder was taken away."""
        if not work.is_dir():
            raise UserError(f"{self.repository} was purged meanwhile, with what was learnt of it")

    def _told(self, line: str) -> None:
        self.waiting.what = f"{self.repository}: {line}"


async def evaluated(
    config: Config,
    model: str,
    cases: Sequence[Case],
    repo_id: int,
    adapter: Adapter | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Reviews held-out pull requests with one model, as `hob eval` does: the same review, matching and sums.
    `adapter`: the model's own, where it has one."""
    host = replace(mlx_host(config), adapters=(adapter,) if adapter else ())
    guard = EgressGuard(repo_id=repo_id)
    async with Workshop(config, hosts=[host], guard=guard) as shop:
        (row,) = await Trial(cases, (THRESHOLD,)).run(model, shop.infer("low", (model,)), told)
    return Evaluation(tuple(row.scores), row.failed)


def mlx_host(config: Config) -> Host:
    """The configuration's first of this kind, else one as if it were there. It serves every role here."""
    found = next((table.host() for table in config.hosts if table.kind == MLX), Host(MLX, MLX, ""))
    return replace(found, roles=())


def held_out(folder: TuneFolder) -> tuple[list[Case], str]:
    """The held-out pull requests, and their digest. UserError where there are none."""
    files = json_files(folder.path / CASES)
    if not files:
        raise UserError(
            f"no pull request of {folder.repository} is held out, so nobody could tell if it got better",
            f"run `hob tune export {folder.repository}` with more of its past",
        )
    told = hashlib.sha256()
    for file in files:
        told.update(f"{file.name}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return load_cases(files), told.hexdigest()
