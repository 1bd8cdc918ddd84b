"""Which model a machine should read changes with, when nobody has said: by its memory, and by what its model
host has already. Sizes are those of https://ollama.com/library/qwen2.5-coder/tags."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelSize:
    """`needs_gb`: its weights and a window of 16,000 tokens in memory at once."""

    name: str
    download_gb: float
    needs_gb: float
    why: str


SIZES = (
    ModelSize("qwen2.5-coder:1.5b", 1.0, 2.0, "finds little; the static checks carry the review"),
    ModelSize("qwen2.5-coder:3b", 1.9, 3.5, "sees plain mistakes, and misses most that span files"),
    ModelSize("qwen2.5-coder:7b", 4.7, 6.5, "a usable reviewer"),
    ModelSize("qwen2.5-coder:14b", 9.0, 13.0, "a good reviewer; what Hob is tuned with"),
    ModelSize("qwen2.5-coder:32b", 20.0, 26.0, "the best of its kind that one machine holds"),
)
"""The smallest first. One for all roles: a second model would push the first out of memory at each change."""
BY_PROCESSOR = 6.5
"""`needs_gb` past which a processor alone takes many minutes for a review."""
SPARE = 1.1
"""Of the room on a disk that a download takes, what it has to have."""
NOT_FOR_CHAT = ("embed", "bge", "minilm", "rerank", "whisper")


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """In GB. `unified`: one memory for processor and graphics, as in a Mac; `graphics` is that of a card."""

    main: float
    graphics: float = 0.0
    unified: bool = False

    @property
    def usable(self) -> float:
        """What a model may take of it. macOS lets graphics have two thirds, of more than 36 GB three
        quarters; a card draws the screen too; beside a processor the rest of the machine goes on."""
        if self.unified:
            return self.main * (0.75 if self.main > 36 else 2 / 3)
        return self.graphics * 0.9 if self.graphics >= 4 else self.main * 0.5

    @property
    def holds(self) -> float:
        """What runs at all, if slowly: beside a card the rest of a model is computed by the processor."""
        return self.usable if self.unified else self.main * 0.8 + self.graphics

    @property
    def by_processor(self) -> bool:
        return not self.unified and self.graphics < 4

    def __str__(self) -> str:
        if self.unified:
            return f"{self.main:.0f} GB of unified memory"
        return f"{self.main:.0f} GB of memory, " + (
            "no graphics card" if self.by_processor else f"a graphics card with {self.graphics:.0f} GB"
        )


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """`download_gb` 0: the host has it."""

    name: str
    why: str
    download_gb: float = 0.0


def suggested(memory: MachineMemory, present: Sequence[str], *, room_gb: float) -> ModelChoice | None:
    """What to use; `present` are the models that the host has, the best first where the table says nothing;
    `room_gb`: how much it can download, 0 where it pulls none. None where there is none to be had."""
    most = min(memory.usable, BY_PROCESSOR) if memory.by_processor else memory.usable
    fitting = [size for size in SIZES if size.needs_gb <= most] or [SIZES[0]]
    known = [size for size in SIZES if size.name in present]
    there = [size for size in known if size in fitting] or [
        size for size in known if size.needs_gb <= memory.holds
    ][:1]
    chat = [name for name in present if not any(word in name.lower() for word in NOT_FOR_CHAT)]
    if there:
        return ModelChoice(there[-1].name, f"it is there already, and is {there[-1].why}")
    loadable = [size for size in fitting if size.download_gb * SPARE <= room_gb]
    if not loadable or (chat and not known):
        return ModelChoice(chat[0], "it is there already") if chat else None
    best = loadable[-1]
    return ModelChoice(best.name, f"with {memory}: {best.why}", best.download_gb)


def gigabytes(kind: str, said: str) -> float:
    """From what a system says of its memory: `meminfo` (/proc), `sysctl` (hw.memsize, bytes), `nvidia` (MiB a
    line, the largest card counts); 0 where it says nothing that can be read."""
    if kind == "meminfo":
        words = next((line.split() for line in said.splitlines() if line.startswith("MemTotal:")), [])
        return _number(words[1:2]) / 1024**2
    if kind == "sysctl":
        return _number(said.split()[:1]) / 1024**3
    return max((_number([line.strip()]) / 1024 for line in said.splitlines()), default=0.0)


def _number(words: Sequence[str]) -> float:
    return (
        float(words[0]) if words and words[0].isascii() and words[0].isdigit() and len(words[0]) < 19 else 0.0
    )
