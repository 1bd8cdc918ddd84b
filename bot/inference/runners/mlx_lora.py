"""The process in which a model is trained: mlx-lm's own `mlx_lm lora`, which ends with whoever began it.

`python -P -m bot.inference.runners.mlx_lora CONFIG`, with the end of a pipe as stdin that only its parent
writes to: the system closes it however the parent dies.
"""

import os
import runpy
import sys
import threading


def _watch() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Until the training is over."""
    threading.Thread(target=_watch, daemon=True).start()
    sys.argv = ["mlx_lm", "lora", "--config", sys.argv[1]]
    runpy.run_module("mlx_lm", run_name="__main__")


if __name__ == "__main__":
    main()
