"""How much a run does: the presets, and what they make of a space."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tuner.errors import ConfigurationError
from tuner.pipeline.run_options import RunOptions
from tuner.records.results import PresetName
from tuner.records.training import Schedule
from tuner.retrain.contenders import BACKBONE_SIZE, HEAD_EPOCHS, FromScratch
from tuner.space.definition import SearchSpaceFile
from tuner.space.methods import DEFAULT_METHOD, METHODS
from tuner.space.parsing.overrides import stated_keys
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How much a run does.

    Attributes:
        from_scratch: How a backbone is trained without ImageNet weights.
        min_backbone_size: Pixels that smaller images are enlarged to for a pretrained backbone.
        search: Hyperband's numbers; None takes the space's own.
        max_retrain_epochs: Ceiling of the retraining; None takes the space's own.
        min_retrain_epochs: Floor of that ceiling.
        seeds: Retrainings per model; None takes the space's own.
        cheap_seeds: As of `RetrainSettings`, unless you say how many seeds there are.
        schedule: Of the learning rate in the retraining.
        max_train: Training images at most; None takes all.
        max_validation: Validation images at most; None takes all.
        finalists: Settings at most that are retrained, unless the space says so.
        held: Hyperparameters of backbones that keep their usual value where several families are
            searched together.
        skips_large_networks: Whether no network is drawn that computes many times as much as the
            usual one.
    """

    from_scratch: FromScratch
    min_backbone_size: int = BACKBONE_SIZE
    search: SearchSettings | None = None
    max_retrain_epochs: int | None = None
    min_retrain_epochs: int = 1
    seeds: int | None = None
    cheap_seeds: int | None = None
    schedule: Schedule = "constant"
    max_train: int | None = None
    max_validation: int | None = None
    finalists: int = 2
    held: tuple[str, ...] = ()
    skips_large_networks: bool = False


FROM_SCRATCH = FromScratch(input_size=96)

PRESETS: Mapping[PresetName, Preset] = {
    "quick": Preset(
        search=SearchSettings(method=DEFAULT_METHOD, max_epochs=4, factor=4, iterations=1),
        max_retrain_epochs=10,
        seeds=1,
        # With two or more, the verdict is a tested one.
        cheap_seeds=3,
        max_train=1000,
        max_validation=500,
        from_scratch=FromScratch(
            input_size=48, max_epochs=2, max_train_images=300, is_last_resort=True
        ),
        # Of 48 pixels the last maps would be 2x2, where ImageNet's features say little; 260 takes
        # seven times as long.
        min_backbone_size=96,
        # Each network then goes through the images once.
        held=("input_size", "pooling", "unfreeze_blocks"),
        skips_large_networks=True,
    ),
    "standard": Preset(from_scratch=FROM_SCRATCH),
    "thorough": Preset(
        search=SearchSettings(method=DEFAULT_METHOD, max_epochs=81, factor=3, iterations=1),
        min_retrain_epochs=120,
        seeds=5,
        schedule="cosine",
        finalists=3,
        from_scratch=FROM_SCRATCH,
    ),
}


def apply(preset: Preset, options: RunOptions, file: SearchSpaceFile) -> SearchSpaceFile:
    """The space's own settings, then what the preset states, then what the command line states.

    Raises:
        ConfigurationError: If the numbers make no Hyperband.
    """
    stated = stated_keys(options.overrides)
    search = _search(preset, file.search, stated)
    search = replace(
        search,
        max_epochs=search.max_epochs if options.max_epochs is None else options.max_epochs,
        factor=search.factor if options.factor is None else options.factor,
        max_trials=search.max_trials if options.max_trials is None else options.max_trials,
    )
    if search.max_epochs < 1 or search.factor < 2:
        raise ConfigurationError(
            "a search needs max_epochs of at least 1 and a factor of at least 2, but got"
            f" {search.max_epochs} and {search.factor}",
            "for example --max-epochs 27 --factor 3.",
        )
    if search.min_epochs > 1 and METHODS[search.method].begins_with_one_epoch:
        raise ConfigurationError(
            f"search.min_epochs is {search.min_epochs}, but {search.method} begins with one epoch",
            "leave min_epochs out, or choose another method.",
        )
    if search.min_expected_gain is not None and not METHODS[search.method].expects_gains:
        raise ConfigurationError(
            f"search.min_expected_gain is {search.min_expected_gain:g}, but {search.method} has no"
            " model that expects anything",
            "leave min_expected_gain out, or choose search.method: model_hyperband.",
        )
    if search.max_total_epochs is not None and search.max_total_epochs < search.max_epochs:
        raise ConfigurationError(
            f"search.max_total_epochs is {search.max_total_epochs}, too few to train one trial to"
            f" max_epochs, {search.max_epochs}",
            "raise the one or lower the other.",
        )
    return replace(
        file,
        search=search,
        retrain=_retrain(preset, file.retrain, stated),
        precision=options.precision or file.precision,
    )


def _search(preset: Preset, own: SearchSettings, stated: Collection[str]) -> SearchSettings:
    """A preset says how much is searched, the space how; what `--set` states beats the preset."""
    if preset.search is None:
        return own
    return replace(
        own,
        max_epochs=own.max_epochs if "search.max_epochs" in stated else preset.search.max_epochs,
        factor=own.factor if "search.factor" in stated else preset.search.factor,
        iterations=own.iterations if "search.iterations" in stated else preset.search.iterations,
    )


def _retrain(preset: Preset, own: RetrainSettings, stated: Collection[str]) -> RetrainSettings:
    epochs = max(own.epochs, preset.min_retrain_epochs)
    return replace(
        own,
        epochs=(
            own.epochs
            if "retrain.epochs" in stated
            else min(epochs, preset.max_retrain_epochs or epochs)
        ),
        head_epochs=0 if "retrain.epochs" in stated else min(own.epochs, HEAD_EPOCHS),
        seeds=own.seeds if "retrain.seeds" in stated else preset.seeds or own.seeds,
        finalists=own.finalists or preset.finalists,
        cheap_seeds=None if "retrain.seeds" in stated else preset.cheap_seeds,
    )
