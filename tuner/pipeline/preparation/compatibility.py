"""A space and a data set that do not fit each other are refused."""

from __future__ import annotations

import numpy as np

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.data.own.made_card import OWN_DATA
from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.registry import setting_problem
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import each_family
from tuner.space.sampling import sample


def check_fixed_setting(file: SearchSpaceFile, dataset: Dataset) -> None:
    """Refuse a space that can only propose what cannot be built.

    Raises:
        ConfigurationError: If the fixed values alone make the network impossible.
    """
    for family in each_family(file):
        if "conv_blocks" in family.space.searched or family.model in BACKBONES:
            continue
        values = sample(family.space, np.random.default_rng(0))
        problem = setting_problem(family.model, values, dataset.spec.height, dataset.spec.width)
        if problem:
            raise ConfigurationError(
                f"{file.name}: {problem}", "use fewer conv_blocks, or larger images."
            )


def check_flip(file: SearchSpaceFile, card: Card) -> None:
    """Refuse a space that mirrors images whose class may change with it, such as digits.

    Raises:
        ConfigurationError: If the space fixes or searches `flip: true`, and the card does not allow
            it.
    """
    for family in each_family(file):
        if True in family.space.possible("flip"):
            refuse_flip(card, f"{file.name}: flip may be true", "remove flip from the space")
    if file.backbone.get("flip"):
        refuse_flip(card, f"{file.name}: backbone.flip is true", "remove it")


def refuse_flip(card: Card, what: str, remedy: str) -> None:
    """Refuse what mirrors images, unless the card says that they keep their class.

    Args:
        card: Of the images.
        what: Would mirror them, with its place.
        remedy: How it would not.

    Raises:
        ConfigurationError: If the card does not allow it.
    """
    if card.horizontal_flip:
        return
    if card.source == OWN_DATA:
        raise ConfigurationError(
            f"{what}, but nothing states that a mirrored image of {card.name} keeps its class",
            f"{remedy}, or write a card for the data with horizontal_flip: true.",
        )
    raise ConfigurationError(
        f"{what}, but datasets/{card.name}.yaml says horizontal_flip: false",
        f"{remedy}; where mirrored images keep their class, set horizontal_flip: true in the card.",
    )
