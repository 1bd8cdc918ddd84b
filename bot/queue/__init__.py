"""RQ: three queues, the worker on them, the embedded Redis, and what processes share through Redis.

Each module is imported by its own name: the receiver rings the bell and needs no RQ in its memory.
"""
