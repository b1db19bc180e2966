"""How far a name is from one that exists: small for a slip, None where nobody can have meant it."""

from __future__ import annotations

import re
from collections.abc import Iterable

# A slip changes at most this share of the longer name's letters: `activation` is no slip for
# `rotation`, though a matcher of common runs of letters, such as difflib, calls them 67 % alike.
_SLIP_SHARE = 0.28
# Parts of a name that are shorter say too little to stand for the whole of it.
_LEAST_PART = 3
# Any slip is nearer than a part is.
_PART = 1000.0


def nearest_of(name: str, choices: Iterable[str]) -> str | None:
    """The choice that `name` was probably meant to be; None where none is near, or several are."""
    far = {choice: distance(name, choice) for choice in choices}
    near = {choice: found for choice, found in far.items() if found is not None}
    best = [choice for choice, found in near.items() if found == min(near.values())]
    return best[0] if len(best) == 1 else None


def distance(name: str, choice: str) -> float | None:
    """How far a typed name is from an existing one.

    Args:
        name: As it was typed.
        choice: A name that exists.

    Returns:
        0 for the same letters, 1 for each letter that is missing, added, wrong or swapped with its
        neighbour; more than any slip where one name is only a part of the other; None if they are
        too unlike for either.
    """
    typed, known = _words(name), _words(choice)
    if sorted(typed) == sorted(known):
        return 0.0
    a, b = "".join(typed), "".join(known)
    n_edits = edits(a, b)
    if n_edits <= _n_slips(a, b):
        return float(n_edits)
    if _is_part(typed, known) or _is_part(known, typed):
        # The more letters both share, the nearer.
        return _PART + n_edits
    return None


def edits(a: str, b: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour to make one text the other.

    This is the optimal string alignment distance (Boytsov 2011, section 2.2), a restricted form of
    Damerau's.
    """
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        before, last, row = row, before, [i]
        for j in range(1, len(b) + 1):
            is_other = a[i - 1] != b[j - 1]
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + is_other)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", name.casefold()) if word]


def _n_slips(a: str, b: str) -> int:
    """How many slips two names may be apart; none where they are short and begin otherwise."""
    longer = max(len(a), len(b))
    n_slips = max(int(_SLIP_SHARE * longer), 1)
    begins_alike = a[:1] == b[:1] or a[:2] == b[1::-1]
    # People rarely mistype a name's first letter; two slips beside it make another word of it.
    return n_slips if begins_alike else 1 if longer >= 5 else 0


def _is_part(short: list[str], long: list[str]) -> bool:
    """Whether a name is the beginning of another, or some of its words."""
    letters = "".join(short)
    if len(letters) < _LEAST_PART:
        return False
    return "".join(long).startswith(letters) or (set(short) < set(long))
