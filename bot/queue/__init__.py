"""RQ: three queues, the worker on them, the embedded Redis, and what processes share through Redis.

Each module is imported by its own name: the receiver wakes the workers and needs no RQ in its memory.
"""
