"""The bytes of a delivery as their column holds them: a zlib stream, which at first is only framed.

Compressing costs more than all else of an acknowledgement together, so it is done later, by whoever routes
the delivery; what reads the column knows no difference.
"""

import zlib

FRAMED = 0xFFFF
"""Bytes of one stored block (RFC 1951, 3.2.4). What is longer is rare, and is compressed at once: writing it
would cost more."""
SMALL = 512
"""Bytes that are not worth compressing."""


def framed(body: bytes) -> bytes:
    """`body` as a zlib stream of one stored block (RFC 1950), or compressed where it is too long for one."""
    size = len(body)
    if size > FRAMED:
        return compressed(body)
    lengths = size.to_bytes(2, "little") + (size ^ FRAMED).to_bytes(2, "little")
    return b"".join((b"\x78\x01\x01", lengths, body, zlib.adler32(body).to_bytes(4, "big")))


def compressed(body: bytes) -> bytes:
    return zlib.compress(body, 1)


def restored(column: bytes) -> bytes:
    """The bytes as they came."""
    return zlib.decompress(column)


def is_framed(size: int) -> bool:
    """Whether a body of so many bytes may be framed only, and is worth compressing."""
    return SMALL < size <= FRAMED
