"""Words that data use for the part that trains, validates or tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from tuner.data.card import Splits

_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "train": frozenset({"train", "training", "trn", "tr"}),
        "validation": frozenset({"validation", "valid", "val", "validate", "dev", "development"}),
        "test": frozenset({"test", "testing", "tst", "te", "holdout", "heldout", "eval", "evaluation"}),
    }
)
# FER2013's: the public test part validates where there is a private one.
_FER = ("Training", "PublicTest", "PrivateTest")


def role_of(word: str) -> str | None:
    """`train`, `validation` or `test`; None where the word, in any case, means none of them."""
    plain = re.sub(r"[\s_.-]+", "", word.casefold())
    return next((role for role, words in _WORDS.items() if plain in words), None)


def split_roles(values: Collection[str]) -> Splits | None:
    """Which of the values of a column `Usage` or `split` plays which role.

    Args:
        values: The different values, stripped.

    Returns:
        None where a value is none of the known words, or two of them mean the same part.
    """
    folded = {value.casefold() for value in values}
    if folded <= {name.casefold() for name in _FER}:
        return Splits(train=_FER[0], validation=_FER[1], test=_FER[2])
    named: dict[str, str] = {}
    for value in sorted(values, key=lambda text: (text.casefold(), text)):
        role = role_of(value)
        if role is None or named.get(role, value).casefold() != value.casefold():
            return None
        named[role] = value
    return Splits.model_validate(named)
