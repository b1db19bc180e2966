"""What a message says of several files that cannot be read, and what to do about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def counted(reasons: Iterable[str]) -> str:
    """Each reason with its number, the most frequent first."""
    return ", ".join(f"{reason} ({n:,})" for reason, n in Counter(reasons).most_common())


def remedy(reasons: Iterable[str]) -> str:
    """What to do about files that cannot be read, by the reasons of `formats.why_no_image`."""
    found = list(reasons)
    if any(reason.startswith("HEIC image") for reason in found):
        return "run that line; or save them as JPEG or PNG."
    if any(reason.startswith("Git LFS") for reason in found):
        return "get the images themselves with `git lfs pull`."
    return "replace them with images, such as JPEG or PNG."
