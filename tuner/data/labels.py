"""From what the data call a class to class numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.data.card import Card
from tuner.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels after translation.

    Attributes:
        names: Class names in the order of the class numbers.
        numbers: Class number of each image.
    """

    names: tuple[str, ...]
    numbers: list[int]


def number_labels(card: Card, given: Sequence[str], where: Sequence[str]) -> Labels:
    """Translate the labels of a file.

    Args:
        card: May name the classes; otherwise they are the distinct labels, whole numbers in their order, text sorted.
        given: Label of each image, as the file writes it.
        where: Place of each label, for messages.

    Raises:
        DataError: For the first label that is empty or that the card does not know, with its place.
    """
    classes = card.class_numbers()
    plain = {label: plain_label(label) for label in set(given)}
    if classes is None:
        distinct = sorted(
            set(plain.values()), key=lambda label: (not label.isdecimal(), len(label) * label.isdecimal(), label)
        )
        classes = tuple(distinct), {label: number for number, label in enumerate(distinct)}
    names, known = classes
    numbers = []
    for label, place in zip(given, where, strict=True):
        if not plain[label]:
            raise DataError(f"{place}: the label is empty", "write the label, or delete the row.")
        number = known.get(plain[label])
        if number is None:
            labels = card.class_names
            listed = ", ".join(labels) if isinstance(labels, dict) else f"0 to {len(names) - 1}"
            raise DataError(
                f'{place}: the label is "{label if len(label) <= 60 else f"{label[:57]}..."}"; expected {listed}',
                f"correct the label, or name its class under class_names in the card of {card.name}.",
            )
        numbers.append(number)
    return Labels(names=names, numbers=numbers)


def plain_label(label: str) -> str:
    """`" 3 "`, `"3.0"` and `"03"` are the label 3; any other text stays as it is."""
    text = label.strip()
    whole, _, decimals = text.partition(".")
    if whole.isascii() and whole.isdecimal() and not decimals.strip("0"):
        return whole.lstrip("0") or "0"
    return text
