"""From what the data call a class to class numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.data.described import Described
from tuner.data.folders.class_order import in_order
from tuner.errors import DataError

# What pandas and people write where there is no label; "none" may well be a class.
_NO_LABEL = frozenset({"", "nan", "<na>", "n/a", "?"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels after translation.

    Attributes:
        names: Class names in the order of the class numbers.
        numbers: Class number of each image.
    """

    names: tuple[str, ...]
    numbers: list[int]


def number_labels(card: Described, given: Sequence[str], where: Sequence[str]) -> Labels:
    """Translate the labels of a file.

    Args:
        card: May name the classes; otherwise they are the distinct labels, whole numbers in their
            order, text sorted.
        given: Label of each image, as the file writes it; none is empty.
        where: Place of each label, for messages.

    Raises:
        DataError: For the first label that the card does not know, with its place.
    """
    classes = card.class_numbers()
    plain = {label: plain_label(label) for label in set(given)}
    if classes is None:
        distinct = in_order(set(plain.values()))
        classes = tuple(distinct), {label: number for number, label in enumerate(distinct)}
    names, known = classes
    in_any_case = _in_any_case(known)
    numbers = []
    for label, place in zip(given, where, strict=True):
        number = known.get(plain[label])
        if number is None:
            number = in_any_case.get(plain[label].casefold())
        if number is None:
            labels = card.class_names
            listed = ", ".join(labels) if isinstance(labels, dict) else f"0 to {len(names) - 1}"
            raise DataError(
                f'{place}: the label is "{label if len(label) <= 60 else f"{label[:57]}..."}";'
                f" expected {listed}",
                "correct the label, or name its class under class_names in the card of"
                f" {card.name}.",
            )
        numbers.append(number)
    return Labels(names=names, numbers=numbers)


def _in_any_case(known: Mapping[str, int]) -> dict[str, int]:
    """Class numbers by the folded name, where that means one class only."""
    folded: dict[str, set[int]] = {}
    for name, number in known.items():
        folded.setdefault(name.casefold(), set()).add(number)
    return {name: next(iter(numbers)) for name, numbers in folded.items() if len(numbers) == 1}


def plain_label(label: str) -> str:
    """`" 3 "`, `"3.0"` and `"03"` are the label 3; any other text stays as it is."""
    text = label.strip()
    whole, _, decimals = text.partition(".")
    if whole.isascii() and whole.isdecimal() and not decimals.strip("0"):
        return whole.lstrip("0") or "0"
    return text


def is_label(text: str) -> bool:
    """Whether it is one, rather than what tables hold where a label is missing."""
    return text.strip().casefold() not in _NO_LABEL
