"""Why files cannot be read, as far as their beginnings tell, and what to do about it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from tuner.data.tree import content_kind

# What `decode` says of whatever no decoder takes for an image.
_NOT_AN_IMAGE = "not an image"
_NEEDS_EXTRA = ("HEIC", "AVIF")
_POINTER = "a pointer of Git LFS in place of the image"
_HEAD_BYTES = 256

# How files begin that are often found in place of an image.
_BEGINNINGS = (
    (b"version https://git-lfs", _POINTER), (b"<!doctype html", "a web page"), (b"<html", "a web page"),
    (b"<svg", "SVG, which is not read"), (b"8bps", "PSD, which is not read"),
    (b"\0\0\0\x0cjp", "JPEG 2000, which is not read"),
    (b"\xff\x0a", "JPEG XL, which is not read"), (b"\0\0\1\0", "ICO, which is not read"), (b"pk\3\4", "a zip archive"),
)  # fmt: skip


def explained(path: str, reason: str) -> str:
    """Why a file cannot be read; where it is no image, what it is instead."""
    if reason != _NOT_AN_IMAGE:
        return reason
    kind = content_kind(path)
    if kind in _NEEDS_EXTRA:
        return f'{kind}, which needs pillow-heif (the extra "heic")'
    if kind:
        return f"a kind of {kind} that cannot be decoded"
    return _content(path) or reason


def _content(path: str) -> str:
    """What a file is in place of an image; empty where nobody can tell."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - stays text; a pipe would wait for ever
            return ""
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if not head:
        return "an empty file"
    if head[128:132] == b"DICM":
        return "DICOM, which is not read"
    text = head.lstrip().lower()
    return next((what for start, what in _BEGINNINGS if text.startswith(start)), "")


def counted(reasons: Iterable[str]) -> str:
    """Each reason with its number, the most frequent first."""
    return ", ".join(f"{reason} ({n:,})" for reason, n in Counter(reasons).most_common())


def remedy(reasons: Iterable[str]) -> str:
    """What to do about files that cannot be read."""
    found = list(reasons)
    if any(reason.startswith(_NEEDS_EXTRA) for reason in found):
        return "install pillow-heif, which reads HEIC; or save them as JPEG or PNG."
    if _POINTER in found:
        return "get the images themselves with `git lfs pull`."
    return "replace them with images, such as JPEG or PNG."
