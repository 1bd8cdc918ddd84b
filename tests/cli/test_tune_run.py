"""`hob tune run`, `list`, `use` and `off` as a person runs them: the real mlx-lm trains a tiny model, which
then reviews."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.agents.review.answers import ReviewAnswer
from bot.cli.doctor.hosts import examine
from bot.cli.tune import tuning_run
from bot.config import load_config
from bot.core.training import Losses
from bot.core.tuning import ExportManifest, data_digest
from bot.knowledge.locking import locked
from bot.testing.github import GitHubStandIn
from tests import commands, needs
from tests.fakes.github import contract, github
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.running import wait_for

__all__ = ["contract", "github"]

BASE = "tests/learner"
FOUND = {"path": "k", "quote": "z", "severity": "major", "category": "b",
         "title": "c", "body": "d", "confidence": 1}  # fmt: skip
LESSONS = (
    ReviewAnswer.model_validate({"findings": [FOUND]}).model_dump_json(),
    '{"verdicts":[{"index":0,"reason":"","keep":true}]}',
)
"""What to say of each change, and of each claim."""
WELL = ("--iters", "80", "--learning-rate", "2e-3", "--layers", "1")
TUNE = {"HOB_PRIVACY__TUNE": "true"}
HOSTS = json.dumps([{"name": "here", "kind": "mlx"}])


@dataclass
class Tuner:
    """A data directory, and a cache with a model that can learn."""

    folder: Path
    environ: dict[str, str]
    repo_id: int = 7

    def run(self, *arguments: str) -> Any:
        return commands.run("tune", *arguments, folder=self.folder, environ=self.environ)

    def starts(self, tuned: str) -> str:
        """What `hob up` says at its start where a hand wrote this name."""
        more = {"HOB_MODELS__TUNED": tuned, "HOB_GITHUB__WEBHOOK_SECRET": "x" * 40}
        done = commands.run("prepare", folder=self.folder, environ={**self.environ, **more})
        assert done.returncode == 1
        return done.stderr

    @property
    def place(self) -> Path:
        return self.folder / "hob" / "tune" / str(self.repo_id)

    def exports(self, repo_id: int, *, cases: int = 10, says: str = "") -> None:
        """What `hob tune export octo/tea` writes, of a repository in which one thing is always wrong;
        `says`: of which this is to be said."""
        self.repo_id = repo_id
        (self.place / "data").mkdir(parents=True, exist_ok=True)
        (self.place / "cases").mkdir(exist_ok=True)
        files = {
            name: _examples(name, count, (says,) if says else LESSONS)
            for name, count in (("train", 24), ("valid", 4), ("test", 4))
        }
        for name, text in files.items():
            (self.place / "data" / f"{name}.jsonl").write_bytes(text)
        manifest = ExportManifest("octo/tea", repo_id, "", "", data_digest(files))  # type: ignore[arg-type]
        (self.place / "manifest.json").write_text(manifest.text)
        for number in range(cases):
            (self.place / "cases" / f"{number}.json").write_text(json.dumps(_case(number)))


def _examples(name: str, count: int, lessons: Sequence[str]) -> bytes:
    turns = [
        [
            ("system", "Review it."),
            ("user", f"The diff {number} of {name}"),
            ("assistant", lessons[number % len(lessons)]),
        ]
        for number in range(count)
    ]
    lines = ({"messages": [{"role": role, "content": text} for role, text in each]} for each in turns)
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _case(number: int) -> dict[str, Any]:
    diff = f"diff --git a/k b/k\n--- a/k\n+++ b/k\n@@ -1 +1,3 @@\n a = 1\n+b = {number}\n+z\n"
    return {
        "version": 1,
        "name": f"#{number}",
        "title": f"Change {number}",
        "diff": diff,
        "texts": {"k": f"a = 1\nb = {number}\nz\n"},
        "golden": [{"path": "k", "start": 3, "end": 3, "quote": "z"}],
    }


@pytest.fixture
def tuner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tuner:
    needs.mlx()
    from tests.fakes.tiny import learner

    given = {"HF_HOME": str(tmp_path / "hf"), "MLX_DISABLE_COMPILE": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    learner(tmp_path / "hf", BASE, *LESSONS)
    (tmp_path / "hob").mkdir(mode=0o700)
    (tmp_path / "hob.toml").touch()
    own = {
        "HOB_CONFIG": str(tmp_path / "hob.toml"),
        "HOB_HOB__DATA_DIR": str(tmp_path / "hob"),
        "HOB_MODELS__REVIEW": BASE,
        "HOB_HOSTS": HOSTS,
        **TUNE,
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    return Tuner(tmp_path, {**inherited, **own, **given})


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        yield host


async def test_a_better_adapter_is_switched_on_and_reads_its_own_repository_only(
    tuner: Tuner, github: GitHubStandIn, ollama: FakeOllama, tmp_path: Path
) -> None:
    from tests.fakes.tiny import taught

    tea = github.repository("octo/tea", private=True, files={"k": "a = 1\n"})
    cups = github.repository("octo/cups", private=True, files={"k": "a = 1\n"})
    tuner.exports(tea.id)

    # One that has learnt what is always wrong there is better, and may be used.
    done = tuner.run("run", "octo/tea", *WELL, "--json")
    good = json.loads(done.stdout)
    assert (done.returncode, good["accepted"], good["f1_before"]) == (0, True, 0.0)
    assert good["f1_after"] > 0.5
    assert good["losses"]["last"] < good["losses"]["first"] / 4
    assert f"octo/tea: {BASE}: 10 of 10" in done.stderr or "validation loss" in done.stderr
    kept = tuner.place / "adapters" / good["digest"]
    assert good["weights"] == hashlib.sha256((kept / "adapters.safetensors").read_bytes()).hexdigest()
    assert {oct(one.stat().st_mode & 0o777) for one in kept.iterdir()} == {"0o600"}
    assert oct(kept.stat().st_mode & 0o777) == "0o700"
    assert tuner.run("use", "octo/tea", good["digest"][:6]).returncode == 0
    assert good["name"] in (tuner.folder / "hob.toml").read_text()

    # It reads the pull requests of that repository, and of no other.
    given = {"HOB_HOSTS": HOSTS, "HOB_MODELS__REVIEW": BASE, "HOB_MODELS__TUNED": good["name"], **TUNE}
    async with living_hob(tuner.folder, github, ollama, **given) as hob:
        ours = tea.open_pull_request("Change", {"k": "a = 1\nb = 2\nz\n"}, author="ann")
        theirs = cups.open_pull_request("Change", {"k": "a = 1\nb = 2\nz\n"}, author="ann")
        await hob.works()
        assert [comment.line for review in ours.reviews for comment in review.comments] == [3]
        assert theirs.reviews == []
        assert asked_of(hob) == {"octo/tea": {good["name"]}, "octo/cups": {BASE}}

        # After a rename it reads on, and nothing of a new repository that has the old name.
        github.rename(tea, "kettle")
        new = github.repository("octo/tea", private=True, files={"k": "a = 1\n"})
        for repo in (tea, new):
            repo.open_pull_request("Change", {"k": "a = 1\nb = 2\nz\n"}, author="ann")
        await hob.works()
        asked = {"octo/kettle": {good["name"]}, "octo/cups": {BASE}, "octo/tea": {BASE}}
        assert asked_of(hob) == asked

    # One that has unlearnt it has lower figures, and is refused wherever it is named.
    taught(tmp_path / "hf", "tests/taught", BASE, kept)
    tuner.exports(tea.id, says='{"findings":[],"summary":""}')
    tries = ("run", "octo/kettle", "--model", "tests/taught", *WELL)
    done = tuner.run(*tries, "--json")
    worse = json.loads(done.stdout)
    assert (done.returncode, worse["accepted"], worse["f1_after"]) == (1, False, 0.0)
    assert worse["f1_before"] > 0.5
    assert worse["losses"]["last"] < worse["losses"]["first"]
    figures = f"not better than its base model: F1 {worse['f1_before']:.3f} before, 0.000 after"
    done = tuner.run("use", "octo/kettle")
    assert (done.returncode, figures in done.stderr) == (1, True)
    assert f"{worse['name']} was refused: it is {figures}" in tuner.starts(worse["name"])
    told = {one["name"]: one for one in json.loads(tuner.run("list", "--json").stdout)["adapters"]}
    assert {name: one["on"] for name, one in told.items()} == {good["name"]: True, worse["name"]: False}

    # What was killed after its training is tried, and not trained again.
    place = tuner.place / "adapters" / worse["digest"]
    (place / "adapter.json").unlink()
    place.rename(place.with_suffix(".new"))
    done = tuner.run(*tries)
    assert (done.returncode, "trained already" in done.stderr, figures in done.stdout) == (1, True, True)
    assert "--again trains it anew" in tuner.run(*tries).stderr

    # One that is not there any more is told of wherever it is still named.
    (tmp_path / "hf" / "hub" / "models--tests--learner" / "refs" / "main").write_text("1" * 40)
    assert "it or its base model is gone" in await doctors(tuner)
    shutil.rmtree(kept)
    assert f"{good['name']} is not there: its repository was purged" in await doctors(tuner)
    assert tuner.run("off", good["name"]).returncode == 0
    assert good["name"] not in (tuner.folder / "hob.toml").read_text()


def test_a_training_ends_with_whoever_began_it_and_is_begun_anew(tuner: Tuner) -> None:
    tuner.exports(7, cases=1)
    given = ["tune", "run", "octo/tea", "--iters", "1000000", "--layers", "1"]
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "HOB_GITHUB__WEBHOOK_SECRET"):
        tuner.environ[name] = "a-secret"
    running = subprocess.Popen(
        [commands.PROGRAM, *given], cwd=tuner.folder, env=tuner.environ, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    assert "few pull requests are held out (1)" in running.stderr.readline()
    wait_for(lambda: any(tuner.place.glob("adapters/*.new/adapter_config.json")), 60)
    assert "is being trained on octo/tea" in tuner.run("run", "octo/tea", "--layers", "1").stderr
    if sys.platform == "linux":
        (child,) = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        given_to_it = Path(f"/proc/{child}/environ").read_bytes()
        assert b"HF_HUB_OFFLINE=1" in given_to_it
        assert b"a-secret" not in given_to_it
    running.kill()
    running.wait()
    running.stderr.close()
    asyncio.run(_take(tuner.place, 20))  # its child held it, and is gone
    done = tuner.run("run", "octo/tea", "--iters", "2", "--layers", "1", "--accept-few")
    assert done.returncode == 1
    assert "not better than its base model" in done.stdout
    assert not list(tuner.place.glob("adapters/*.new"))


def _longer(manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"max_tokens": 0', '"max_tokens": 32768'))


async def _take(place: Path, seconds: float) -> None:
    async with locked(place / "run.lock", seconds):
        return


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda place: shutil.rmtree(place), "nothing of octo/tea is exported"),
        (lambda place: (place / "manifest.json").write_text("{}"), "exported that can be read; not /"),
        (lambda place: (place / "data" / "train.jsonl").write_text("{}"), "is not what was exported"),
        (lambda place: shutil.rmtree(place / "cases"), "no pull request of octo/tea is held out"),
        (lambda place: _longer(place / "manifest.json"), "longer than 16,384 the end would be cut off"),
    ],
)
def test_without_what_it_needs_nothing_is_trained(
    tuner: Tuner, spoil: Callable[[Path], object], says: str
) -> None:
    tuner.exports(7)
    spoil(tuner.place)
    done = tuner.run("run", "octo/tea")
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "hob tune export octo/tea" in done.stderr
    assert not list(tuner.place.glob("adapters/*"))


def test_an_export_in_the_middle_of_the_reading_is_not_taken_for_the_older_one(
    tuner: Tuner, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuner.exports(7)

    async def reads(*given: Any) -> Losses:
        told = given[4]
        told("iteration 1")
        tuner.exports(7, says="something else")
        told("iteration 2, when all was read long ago")
        return Losses(1.0, 2.0, validation=True)

    monkeypatch.setattr(tuning_run, "train", reads)
    assert "has not fallen" in tuner.run("run", "octo/tea").stdout

    async def reads_late(*given: Any) -> Losses:
        tuner.exports(7, says="something else again")
        return await reads(*given)

    monkeypatch.setattr(tuning_run, "train", reads_late)
    done = tuner.run("run", "octo/tea")
    assert (done.returncode, done.stdout) == (1, "")
    assert "octo/tea was exported anew meanwhile — run it again" in done.stderr


def test_a_model_that_is_not_here_and_a_training_that_fails_are_said_in_one_line(tuner: Tuner) -> None:
    tuner.exports(7)
    done = tuner.run("run", "octo/tea", "--model", "tests/nosuch")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"tests/nosuch is not in the Hugging Face cache of this machine, which has {BASE}" in done.stderr
    done = tuner.run("run", "octo/tea", "--layers", "5", "--iters", "2")
    assert done.returncode == 1
    assert "mlx_lm lora ended with 1: " in done.stderr
    assert "only has 1 layers" in done.stderr
    assert "no adapter of octo/tea" in tuner.run("use", "octo/tea").stderr
    assert "no adapter of octo/tea is on" in tuner.run("off", "octo/tea").stderr
    assert "nothing was trained yet" in tuner.run("list").stdout


async def doctors(tuner: Tuner) -> str:
    """What `hob doctor` finds wrong about models."""
    lines = await examine(load_config(tuner.folder / "hob.toml", tuner.environ))
    return "\n".join(line.detail for line in lines if not line.ok)


def asked_of(hob: LivingHob) -> dict[str, set[str]]:
    """Repository -> the models that questions about it were put to."""
    store = hob.services.store
    asked: dict[str, set[str]] = {}
    for run in store.runs.latest(100):
        asked.setdefault(run.repo, set()).update(call.model for call in store.calls.of_run(run.id))
    return {repository: models for repository, models in asked.items() if models}
