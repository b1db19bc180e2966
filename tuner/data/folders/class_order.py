"""The order of classes that the data do not give, and one form for names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DIGITS = re.compile(r"([0-9]+)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def in_order(names: Iterable[str]) -> list[str]:
    """Names sorted as people count: 2 before 10, and class_2 before class_10.

    What has no numbers is sorted by code points.
    """
    found = set(names)
    # "-1" and "0.5" are numbers only where all names are.
    if all(_NUMBER.fullmatch(name) for name in found):
        return sorted(found, key=lambda name: (float(name), name))
    return sorted(found, key=_natural)


def one_form(name: str) -> str:
    """A name in Unicode's composed form (NFC): macOS writes é as two characters, Linux as one."""
    return unicodedata.normalize("NFC", name)


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    texts_and_numbers = _DIGITS.split(name)
    pairs = zip(texts_and_numbers[::2], [*texts_and_numbers[1::2], "-1"], strict=True)
    return (*((text, int(number)) for text, number in pairs), (name, -1))
