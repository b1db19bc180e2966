"""Families that are searched together: which they are, and what each of them brings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from tuner.data.cards.card import Card
from tuner.errors import ConfigurationError
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.models.backbones.weights import are_at_hand
from tuner.models.registry import complete
from tuner.pipeline.preparation.space_files import space_path
from tuner.retrain.contenders import stated_baseline
from tuner.space.definition import Family, Parameter, Prior, SearchSpaceFile, Space, by_name
from tuner.space.families import holding, together
from tuner.space.methods import METHODS
from tuner.space.parsing.families import BASELINE, families_of, owners
from tuner.space.parsing.parse import load_space
from tuner.space.sampling import grid_values

# Of smaller images, a backbone would see little more than its own interpolation.
SMALLEST_SIDE = 64
# The strongest of the networks whose weights are installed, and the sibling that takes half; then
# one whose weights you have downloaded before. Its larger sibling has four times the parameters.
FITTING = ("efficientnet_lite2", "efficientnet_lite0", "dinov2_small")

# A baseline's learning rate is searched up to this factor around its own.
_RATE_FACTOR = 4.0

# What `auto` holds at its usual value: an epoch of a network with unfrozen blocks takes some
# 600 times as long as one of a head.
HELD_BY_AUTO = ("unfreeze_blocks",)


def with_fitting(file: SearchSpaceFile, card: Card) -> SearchSpaceFile:
    """The space with the families that fit the data, as far as their weights are at hand.

    Args:
        file: Of `model: auto`.
        card: Of the data set; its images are in their own size.
    """
    names = [BASELINE] if card.baseline else []
    names.append("cnn")
    if min(card.image.height, card.image.width) >= SMALLEST_SIDE:
        names += filter(are_at_hand, (name for name in FITTING if not _may_come(name, file)))
    return replace(file, families=families_of(names, file.space))


def _may_come(name: str, file: SearchSpaceFile) -> bool:
    """Whether the comparison downloads a network's weights.

    The families would change while such a run is interrupted.
    """
    return name in DOWNLOADS and name in file.compare


def with_families(file: SearchSpaceFile, card: Card, held: Collection[str] = ()) -> SearchSpaceFile:
    """The space with all that its families bring; one that is searched alone stays as it is.

    Args:
        file: The space.
        card: Of the data set, in the size in which its images are read.
        held: Hyperparameters of the backbones that keep their usual value.

    Raises:
        ConfigurationError: If a family's own space has mistakes, or the search method cannot search
            several.
    """
    if not file.families:
        return file
    own = owners([family.name for family in file.families])

    def whole(family: Family) -> Family:
        if family.name in own:
            return family
        if family.name == BASELINE:
            return _baseline(card)
        return replace(family, space=holding(_supplied(family.name, card), held))

    families = tuple(map(whole, file.families))
    found = replace(file, families=families, space=together(families))
    _check_method(found)
    return found


def _supplied(name: str, card: Card) -> Space:
    """The space that a backbone brings: that of `--model NAME`."""
    return load_space(space_path(card, None, name), (), name).space


def _baseline(card: Card) -> Family:
    """The data set's baseline as a family: only its learning rate is searched."""
    stated = stated_baseline(card, card.image.height, card.image.width)
    fixed = complete(stated.model, stated.values)
    rate = fixed.pop("learning_rate", None)
    searched = () if rate is None else (_near(rate),)
    space = Space(parameters=searched, fixed=fixed)
    return Family(name=BASELINE, model=stated.model, space=space)


def _near(rate: float) -> Parameter:
    return Parameter(
        name="learning_rate",
        kind="float",
        low=rate / _RATE_FACTOR,
        high=rate * _RATE_FACTOR,
        log=True,
        prior=Prior(value=rate),
    )


def _check_method(file: SearchSpaceFile) -> None:
    """Refuse a method that cannot search what the families bring together."""
    method, ranges = METHODS[file.search.method], by_name(file.space.parameters)
    several = [name for name in ranges if len(ranges[name]) > 1]
    endless = [one for one in file.space.parameters if grid_values(one) is None]
    if method.needs_single_ranges and several:
        problem = f"{several[0]} has several ranges"
    elif method.needs_finite_ranges and endless:
        (family,) = endless[0].conditions[0].values
        problem = f"{endless[0].name} of {family} may be any number in its range"
    else:
        return
    raise ConfigurationError(
        f"{file.name}: search.method is {file.search.method}, but with {_named(file.families)}"
        f" {problem}",
        "choose another method, such as hyperband, or search one family: --model cnn.",
    )


def _named(families: Sequence[Family]) -> str:
    return ", ".join(family.name for family in families)
