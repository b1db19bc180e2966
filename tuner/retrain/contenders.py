"""The models of a comparison, all under the winner's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.cards.published_baseline import Published
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import is_frozen
from tuner.models.registry import complete, schedule_for
from tuner.records.contender import Contender
from tuner.records.training import EarlyStopping, Schedule
from tuner.space.definition import SearchSpaceFile
from tuner.space.retrain_settings import RetrainSettings

# Names of contenders: the winner, and the baseline by the winner's rules and by its source's.
TUNED, BASELINE, PUBLISHED_BASELINE = "tuned", "baseline", "baseline_published"
BASELINES = frozenset({BASELINE, PUBLISHED_BASELINE})

# Pixels that EfficientNetB2 was made for.
BACKBONE_SIZE = 260

BACKBONE_VALUES = {"dropout": 0.2, "optimizer": "adam", "batch_size": 32}

# A head alone, on a few hundred images, has not learnt all that it can in 40 epochs at a third of
# it.
HEAD_LEARNING_RATE, SCRATCH_LEARNING_RATE = 3e-3, 1e-3

# Its features are kept, so that its epochs take a part of a second however short a run is. After
# six, the head on 137 photos was still improving, and stood behind a small network.
HEAD_EPOCHS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FromScratch:
    """How a backbone is trained where no ImageNet weights are at hand.

    Attributes:
        input_size: Pixels that images are resized to.
        max_epochs: Ceiling; None for the other models' one.
        max_train_images: None for all.
        is_last_resort: Whether it is trained only where no other network that has learnt before
            can stand in: in a first look it learns nothing, and takes longer than all others.
    """

    input_size: int
    max_epochs: int | None = None
    max_train_images: int | None = None
    is_last_resort: bool = False


def tuned_contenders(
    file: SearchSpaceFile, found: Sequence[tuple[str, Mapping[str, Any]]], schedule: Schedule
) -> Iterator[Contender]:
    """The finalists, whose rules hold for all.

    Only a backbone's rate falls whatever the preset says.

    Args:
        file: The space with preset and options applied; its `retrain` states the rules.
        found: Of each finalist the family or builder and its hyperparameters.
        schedule: Of the learning rate, by the preset; other models keep it.
    """
    rule = EarlyStopping(
        monitor=file.objective.name,
        direction=file.objective.direction,
        patience=file.retrain.patience,
    )
    for number, (model, values) in enumerate(found, start=1):
        yield Contender(
            name=TUNED if number == 1 else f"finalist-{number}",
            title=tuned_title(file, model, "Tuned" if number == 1 else f"Finalist {number}"),
            model=model,
            values=values,
            max_epochs=most_epochs(file.retrain, model, values),
            early_stopping=rule,
            schedule=schedule_for(model, schedule),
        )


def most_epochs(retrain: RetrainSettings, model: str, values: Mapping[str, Any]) -> int:
    """The ceiling of a model's retraining, by what of it is trained."""
    least = retrain.head_epochs if is_frozen(model, values) else 0
    return max(retrain.epochs, least)


def tuned_title(file: SearchSpaceFile, model: str, words: str = "Tuned") -> str:
    """What tables call a finalist: of several families with its own."""
    if not file.families:
        return words
    return f"{words} ({BACKBONES[model].title if model in BACKBONES else model})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedBaseline:
    """The model that tuning is held against.

    Attributes:
        model: Family.
        title: What it is.
        values: Hyperparameters.
        published: How its source trains it; None where no source states it.
    """

    model: str
    title: str
    values: Mapping[str, Any]
    published: Published | None = None


def stated_baseline(card: Card, height: int, width: int) -> ComparedBaseline:
    """The data set's baseline; where no source states one, the CNN family's defaults.

    Of tiny images, as many blocks as leave a pixel.

    Args:
        card: Of the data set.
        height: Of its images, in pixels.
        width: The same.
    """
    if stated := card.baseline:
        return ComparedBaseline(
            model=stated.model,
            title=stated.title,
            values=stated.values,
            published=stated.published,
        )
    usual = complete("cnn", {})
    n_blocks = min(usual["conv_blocks"], max(1, min(height, width).bit_length() - 1))
    return ComparedBaseline(
        model="cnn",
        title="the CNN family's defaults: no source states a baseline for these images",
        values=usual | {"conv_blocks": n_blocks},
    )


def baselines(
    tuned: Contender, stated: ComparedBaseline, compare: tuple[str, ...]
) -> Iterator[Contender]:
    """The baseline by the winner's rules, and by its source's own, as far as they are asked for.

    Args:
        tuned: The winner.
        stated: The data set's baseline.
        compare: Names of opponents.
    """
    baseline = replace(
        tuned,
        name=BASELINE,
        title="Baseline",
        model=stated.model,
        values=complete(stated.model, stated.values),
        note=stated.title,
    )
    if BASELINE in compare:
        yield baseline
    if PUBLISHED_BASELINE in compare and stated.published:
        yield _as_published(baseline, stated.published)


def _as_published(baseline: Contender, published: Published) -> Contender:
    """By its source's own schedule: its epochs, and its own reason to stop before."""
    rule = replace(
        baseline.early_stopping,
        patience=None,
        stop_metric=published.stop_metric,
        stop_value=published.stop_value or 0.0,
        keeps_best=False,
    )
    return replace(
        baseline,
        name=PUBLISHED_BASELINE,
        title="Baseline, as published",
        max_epochs=published.epochs,
        early_stopping=rule,
        schedule="constant",
        note=f"{baseline.note}; its published schedule, not the rules of the others",
        in_verdict=False,
    )


def pretrained(
    tuned: Contender,
    name: str,
    stated: Mapping[str, Any],
    input_size: int,
    retrain: RetrainSettings,
) -> Contender:
    """A network that is pretrained.

    Args:
        tuned: The winner, whose rules hold.
        name: Of the backbone.
        stated: What the space says of it.
        input_size: Pixels that images are resized to, unless `stated` gives a size.
        retrain: How long a retraining may take.
    """
    values = complete(
        name,
        {
            "input_size": input_size,
            "learning_rate": HEAD_LEARNING_RATE,
            **BACKBONE_VALUES,
            **stated,
        },
    )
    return replace(
        tuned,
        name=name,
        title=f"{BACKBONES[name].title} ({_origin(name, values['weights'])})",
        model=name,
        values=values,
        max_epochs=most_epochs(retrain, name, values),
        schedule="cosine",
        note=_note(name, values),
    )


def from_scratch(tuned: Contender, name: str, settings: FromScratch) -> Contender:
    """The whole network from random weights; the verdict does not speak of it."""
    note = (
        f"trained from scratch at {settings.input_size} px: no ImageNet weights were at hand, so"
        " this is not the network at its best"
    )
    if settings.max_train_images:
        note += (
            f"; a first look with at most {settings.max_train_images} images and"
            f" {settings.max_epochs} epochs"
        )
    stated = {
        "weights": "none",
        "input_size": settings.input_size,
        "learning_rate": SCRATCH_LEARNING_RATE,
    }
    return replace(
        tuned,
        name=name,
        title=f"{BACKBONES[name].title} (from scratch)",
        model=name,
        values=complete(name, {**stated, **BACKBONE_VALUES}),
        max_epochs=settings.max_epochs or tuned.max_epochs,
        note=note,
        in_verdict=False,
        max_train_images=settings.max_train_images,
    )


_NOT_SEARCHED = "its hyperparameters were not searched"


def _origin(name: str, weights: str) -> str:
    return BACKBONES[name].pretrained_on if weights == "imagenet" else "weights of your own"


def _note(name: str, values: Mapping[str, Any]) -> str:
    published = " weights" if values["weights"] == "imagenet" else ""
    side = BACKBONES[name].side(values["input_size"])
    start = f"{_origin(name, values['weights'])}{published}, at {side} px"
    if not values["unfreeze_blocks"]:
        return f"{start}, frozen; only the head was trained; {_NOT_SEARCHED}"
    stages = f"the head was trained first, then the last {values['unfreeze_blocks']} blocks too"
    return f"{start}; {stages}; {_NOT_SEARCHED}"
