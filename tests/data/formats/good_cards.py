"""Cards of tiny data."""

from __future__ import annotations

from tests.data.samples import make_card
from tuner.data.cards.card import Card

GOOD = " ".join(["7"] * 16)


def fer_card(**fields: object) -> Card:
    return make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"], **fields)
