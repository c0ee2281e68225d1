"""Frames: sixteen bytes, a JSON header, and a block of bytes that the header speaks of."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

MAGIC = b"CNC1"
MOST_HEADER = 64 << 20
MOST_BLOCK = 4 << 30

_START = struct.Struct("<4sIQ")


class NotAFrame(Exception):
    """What was read is no frame; there is no way back into step."""


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], memoryview] | None:
    """The next header and block; None at the end of the stream."""
    start = stream.read(_START.size)
    if not start:
        return None
    if len(start) < _START.size:
        raise NotAFrame(f"the stream ended after {len(start)} bytes of a frame")
    magic, header_length, block_length = _START.unpack(start)
    if magic != MAGIC:
        raise NotAFrame(f"expected a frame, got {start!r}")
    if header_length > MOST_HEADER or block_length > MOST_BLOCK:
        raise NotAFrame(f"{header_length} and {block_length} bytes are announced")
    header = json.loads(_exactly(stream, header_length))
    if not isinstance(header, dict):
        raise NotAFrame(f"the header is a {type(header).__name__}, not an object")
    return header, memoryview(_exactly(stream, block_length))


def write_frame(stream: BinaryIO, header: dict[str, Any], block: bytes | bytearray = b"") -> None:
    """Writes a frame and flushes."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > MOST_HEADER or len(block) > MOST_BLOCK:
        raise ValueError(f"an answer of {len(text)} and {len(block)} bytes is longer than allowed")
    stream.write(_START.pack(MAGIC, len(text), len(block)) + text)
    stream.write(block)
    stream.flush()


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise NotAFrame(f"the stream ended after {len(data)} of {length} bytes")
    return data
