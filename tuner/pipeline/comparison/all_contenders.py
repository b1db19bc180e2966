"""Who is compared: one list, which a run trains and a plan costs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.data.cards.card import Card
from tuner.models.backbones.catalog import BACKBONES
from tuner.pipeline.presets import PRESETS
from tuner.pipeline.run_options import RunOptions
from tuner.records.contender import Contender
from tuner.records.events import Listener, Notice, StageStarted
from tuner.records.image import ImageSpec
from tuner.retrain.contenders import (
    BACKBONE_SIZE,
    PUBLISHED_BASELINE,
    baselines,
    stated_baseline,
    tuned_contenders,
)
from tuner.retrain.opponents import BackboneRules, backbone_opponents
from tuner.space.definition import SearchSpaceFile

LOG = logging.getLogger("tuner")

# In less time a backbone gets images as in `quick`: larger ones would often cost more than a fifth
# of it, and hardly score better (docs/adr/0072).
_SMALL_IMAGES_S = 3600.0


def contenders(
    options: RunOptions,
    card: Card,
    file: SearchSpaceFile,
    spec: ImageSpec,
    found: Sequence[tuple[str, Mapping[str, Any]]],
    tell: Listener,
) -> list[Contender]:
    """The finalists and their opponents, in the order in which a run trains them.

    Args:
        options: Those of the run.
        card: Of the data set; it may state a baseline.
        file: The space, with preset and options applied.
        spec: Of the images.
        found: Of each finalist the family or builder and its hyperparameters, the search's winner
            first; empty ones before a search has found them.
        tell: Called with what is left out, and with what stands in for it.
    """
    return list(_contenders(options, card, file, spec, found, tell))


def _contenders(
    options: RunOptions,
    card: Card,
    file: SearchSpaceFile,
    spec: ImageSpec,
    found: Sequence[tuple[str, Mapping[str, Any]]],
    tell: Listener,
) -> Iterator[Contender]:
    schedule = PRESETS[options.preset].schedule
    tuned = list(tuned_contenders(file, found, schedule))
    yield from tuned
    # A backbone's rate falls whatever the preset says, and its head may train longer; neither holds
    # for its opponents.
    rules = replace(tuned[0], schedule=schedule, max_epochs=file.retrain.epochs)
    stated = stated_baseline(card, spec.height, spec.width)
    if PUBLISHED_BASELINE in file.compare and not stated.published:
        text = "no published schedule is compared: this data set has no card that states one"
        tell(Notice(text=text))
    yield from baselines(rules, stated, file.compare)
    names = [name for name in file.compare if name in BACKBONES]
    if names:
        tell(StageStarted(title="Looking for pretrained weights"))
    how = backbone_rules(options, file, spec)
    yield from backbone_opponents(
        rules, names, how, missing_weights, lambda text: tell(Notice(text=text))
    )


def backbone_rules(options: RunOptions, file: SearchSpaceFile, spec: ImageSpec) -> BackboneRules:
    """How a run trains backbones for the comparison."""
    preset = PRESETS[options.preset]
    least = preset.min_backbone_size
    if options.time_budget_s is not None and options.time_budget_s < _SMALL_IMAGES_S:
        least = min(least, PRESETS["quick"].min_backbone_size)
    size = min(max(spec.height, spec.width, least), BACKBONE_SIZE)
    scratch = preset.from_scratch
    # Trained whole it takes more time than all else, and learns little in it.
    scratch = replace(scratch, is_last_resort=scratch.is_last_resort or options.is_sized)
    return BackboneRules(
        stated=file.backbone, scratch=scratch, input_size=size, retrain=file.retrain
    )


def missing_weights(contender: Contender) -> str | None:
    """Why a backbone's weights cannot be had, in one line; downloads them where it must."""
    from tuner.models.backbones.download_problem import download_problem
    from tuner.models.backbones.network import build_network
    from tuner.models.backbones.weights import NoPretrainedWeightsError

    try:
        build_network(BACKBONES[contender.model], contender.values)
    except NoPretrainedWeightsError as error:
        LOG.warning("%s: %s %s", contender.title, error.message, error.hint)
        if error.__cause__ is not None:
            return (
                f"its ImageNet weights cannot be downloaded ({download_problem(error.__cause__)})"
            )
        # The notice begins with the name already.
        return error.message.removeprefix(f"{BACKBONES[contender.model].title}: ")
    return None
