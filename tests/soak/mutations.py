"""Ways to damage a file: blind ones, and those that know its format well.

The latter get past the checksums.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable

from tests.soak.corpus import png_chunk

Mutation = Callable[[random.Random, bytes, bytes], bytes]

_NUMBERS = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
_TOKENS = (
    "-1", "256", "1e999", "nan", "7.5", "9" * 30, '"', '""', "'", "\0", "\ufeff", "\r", "\n",
    "\n\n", ",", " ", "\t", ";", "\u0663", "\u00b2", "\x1c", "=1+1", "<b>", "happy, very", "no",
    "Training", "\U0001f600", "\ud7ff", "\\", "  ",
)  # fmt: skip


def flip(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Change up to 16 bits."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 4, 16)) if data else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Keep a beginning, or an end."""
    at = rng.randrange(len(data) + 1)
    return data[:at] if rng.random() < 0.8 else data[at:]


def drop(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Take out a piece."""
    start, end = sorted(rng.randrange(len(data) + 1) for _ in "ab")
    return data[:start] + data[end:]


def repeat(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Put a piece in up to 50 times."""
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.randrange(1, 200)]
    return data[:start] + piece * rng.choice((2, 3, 50)) + data[start:]


def splice(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Begin as one file and go on as another."""
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def overwrite(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Fill a piece with one byte, or with noise."""
    start = rng.randrange(len(data) + 1)
    n = rng.randrange(1, 64)
    piece = rng.choice((bytes(n), b"\xff" * n, rng.randbytes(n)))
    return (data[:start] + piece + data[start + n :])[: len(data)]


def edit_header(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Write extreme numbers of 1, 2 or 4 bytes near the start."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 3))):
        code = rng.choice("<>") + rng.choice("BHI")
        number = struct.pack(code, rng.choice(_NUMBERS) % 256 ** struct.calcsize(code))
        start = rng.randrange(min(len(changed), rng.choice((32, 64, 512))) + 1)
        changed[start : start + len(number)] = number
    return bytes(changed)


def edit_png_chunk(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage a chunk of a PNG, and correct its checksum; any other file is flipped."""
    if not data.startswith(b"\x89PNG"):
        return edit_header(rng, data, other)
    chunks, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    place = rng.randrange(len(chunks))
    name, payload = chunks[place]
    chunks[place] = name, rng.choice(BLIND)(rng, payload, other)
    if rng.random() < 0.2:
        rng.shuffle(chunks)
    return data[:8] + b"".join(png_chunk(*chunk) for chunk in chunks)


def edit_tiff_tag(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Change type, count or value of a TIFF's tags; any other file is flipped."""
    if data[:4] != b"II*\0":
        return edit_header(rng, data, other)
    changed = bytearray(data)
    (start,) = struct.unpack("<I", data[4:8])
    (n,) = struct.unpack("<H", data[start : start + 2])
    for _ in range(rng.choice((1, 2))):
        entry = start + 2 + 12 * rng.randrange(n)
        at, code = rng.choice(((0, "<H"), (2, "<H"), (4, "<I"), (8, "<I")))
        number = rng.choice((*_NUMBERS, rng.randrange(20))) % 256 ** struct.calcsize(code)
        changed[entry + at : entry + at + struct.calcsize(code)] = struct.pack(code, number)
    return bytes(changed)


def edit_text(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Put words and marks into a text, or encode it otherwise."""
    text = data.decode()
    for _ in range(rng.choice((1, 1, 3, 10))):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(_TOKENS) + text[at + rng.choice((0, 0, 1, 5)) :]
    return text.encode(
        rng.choice(("utf-8", "utf-8", "utf-8", "utf-8", "utf-16", "latin-1")), "replace"
    )


def edit_member(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage a member of a zip, or its name, and pack it again; any other file is flipped."""
    if not data.startswith(b"PK"):
        return flip(rng, data, other)
    written = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        victim = rng.choice(names)
        for name in names:
            content, called = old.read(name), name
            if name == victim and rng.random() < 0.2:
                called = rng.choice(
                    ("../x", "/x", "x\\..\\..\\y", name + "/", names[0] + "/x", "", "\u202ex")
                )
            elif name == victim:
                content = rng.choice((*BLIND, edit_header))(rng, content, other)
            if called not in new.namelist():
                new.writestr(zipfile.ZipInfo(called), content)
    return written.getvalue()


def edit_tar_header(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage a member's header in a plain tar, and correct its checksum."""
    changed = bytearray(data)
    starts = [at for at in range(0, len(data) - 511, 512) if data[at + 257 : at + 262] == b"ustar"]
    for _ in range(rng.choice((1, 2)) if starts else 0):
        start = rng.choice(starts)
        at, n = rng.choice(((0, 100), (124, 12), (156, 1), (157, 100), (345, 155), (0, 512)))
        n = rng.randrange(1, n + 1)
        piece = rng.choice(
            (bytes(n), b"../" * n, b"7" * n, b"\xff" * n, rng.randbytes(n), b"LKxg1256S"[:n] * n)
        )[:n]
        changed[start + at : start + at + len(piece)] = piece
        changed[start + 148 : start + 156] = b" " * 8
        changed[start + 148 : start + 156] = b"%06o\0 " % sum(changed[start : start + 512])
    return bytes(changed)


BLIND: tuple[Mutation, ...] = (flip, cut, drop, repeat, splice, overwrite)
