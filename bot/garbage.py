"""When Python looks for garbage: objects that refer to each other in a circle. All else goes without."""

import gc


def seldom_look() -> None:
    """While a process loads. By Python's own numbers (700, 10, 10) that is a tenth of a worker's start, and
    nothing is found."""
    gc.set_threshold(100_000, 2, 2)


def keep_what_is_loaded() -> None:
    """For a process that stays: nothing of what is there is looked at again, which would stop a worker's
    event loop for 80 ms each time. What comes later is, as often as Python does it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 10)
