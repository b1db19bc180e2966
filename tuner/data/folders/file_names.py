"""Classes that the names of files give: cat.0.jpg, dog_12.png, happy1-3.png."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tuner.data.folders.class_order import one_form
from tuner.data.folders.part_names import is_part
from tuner.data.folders.tree import IMAGE_SUFFIXES

_CLASS = re.compile(r"([^\W\d_].*?)[\s._()\[\]#-]*\d")

# What cameras, browsers and programs call any picture.
_MEANINGLESS = frozenset(
    {
        "img", "image", "images", "imgs", "dsc", "dscn", "dscf", "dcim", "pxl", "mvimg", "gopr",
        "photo", "photos", "pic", "pics", "picture", "pictures", "screenshot", "untitled",
        "unnamed", "frame", "file", "scan", "download", "downloads", "sample", "example",
        "whatsapp", "wp", "page", "slide", "crop", "row", "item", "id", "nr", "no", "result",
        "output",
    }
)  # fmt: skip
_LEAST_FILES = 2


def class_of(name: str) -> str:
    """The text before the first number of a file's name; empty where there is none."""
    stem, _, suffix = name.rpartition(".")
    match = _CLASS.match(one_form(stem if suffix.lower() in IMAGE_SUFFIXES else name))
    return match[1].strip() if match else ""


def are_clear(names: Sequence[str]) -> bool:
    """Whether all names tell a class, there are at least two, and each has several files."""
    counts = Counter(map(class_of, names))
    return (
        len(counts) >= 2
        and "" not in counts
        and min(counts.values()) >= _LEAST_FILES
        and not any(name.casefold() in _MEANINGLESS or is_part(name) for name in counts)
        and len({name.casefold() for name in counts}) == len(counts)
    )
