"""What a person asked for, and what the presets make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.retrain.contenders import BACKBONE_SIZE, FromScratch
from tuner.space.definition import RetrainSettings, SearchSettings, SearchSpaceFile
from tuner.space.methods import DEFAULT_METHOD

DATA_ROOT = Path("datasets/data")
REPORTS = Path("reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionOptions:
    """Where and how trainings run.

    Attributes:
        executor: `process`, `inline` or `ray`.
        workers: Trainings at a time; None takes what the machine has.
        trial_timeout_s: Seconds without a step after which a training has failed; None waits for
            ever.
        worker_memory_bytes: Memory of one worker; None shares out the machine's.
        ray_address: Of a running Ray cluster; None starts Ray on this machine.
        gpus_per_trial: Share of a GPU that a training takes on a Ray cluster.
    """

    executor: str = "process"
    workers: int | None = None
    trial_timeout_s: float | None = 600.0
    worker_memory_bytes: int | None = None
    ray_address: str | None = None
    gpus_per_trial: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `run`.

    Attributes:
        dataset: A card's name, or a path.
        space: Path of a search space; None takes the data set's own.
        model: Replaces the space's model; None keeps it.
        preset: `quick`, `standard` or `thorough`.
        max_epochs: Replaces Hyperband's; None keeps it.
        factor: Replaces Hyperband's; None keeps it.
        limit: Training and validation images together; None takes all.
        seed: The run's one seed.
        data_dir: Root of the data.
        out: Root of the reports.
        overrides: `--set` changes of the space.
        search_only: Ends after the search.
        resume: True resumes an unfinished run or fails, False starts a new one; None resumes where
            it can.
        execution: Where trainings run.
        retries: How often a failed trial is trained again.
        max_trials: Replaces the space's; None keeps it.
        time_budget_s: Seconds for the whole command; None sets no limit.
        outer: Number of the outer fold of nested cross-validation that tests, from 1; None for an
            ordinary run.
        command: The command line, for the report.
    """

    dataset: str
    space: Path | None = None
    model: str | None = None
    preset: str = "standard"
    max_epochs: int | None = None
    factor: int | None = None
    limit: int | None = None
    seed: int = 0
    data_dir: Path = DATA_ROOT
    out: Path = REPORTS
    overrides: Sequence[str] = ()
    search_only: bool = False
    resume: bool | None = None
    execution: ExecutionOptions = ExecutionOptions()
    retries: int = 0
    max_trials: int | None = None
    time_budget_s: float | None = None
    outer: int | None = None
    command: str = ""


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
        schedule: Of the learning rate in the retraining.
        max_train: Training images at most; None takes all.
        max_validation: Validation images at most; None takes all.
    """

    from_scratch: FromScratch
    min_backbone_size: int = BACKBONE_SIZE
    search: SearchSettings | None = None
    max_retrain_epochs: int | None = None
    min_retrain_epochs: int = 1
    seeds: int | None = None
    schedule: str = "constant"
    max_train: int | None = None
    max_validation: int | None = None


FROM_SCRATCH = FromScratch(input_size=96)

PRESETS = {
    "quick": Preset(
        search=SearchSettings(method=DEFAULT_METHOD, max_epochs=4, factor=4, iterations=1),
        max_retrain_epochs=10,
        seeds=1,
        max_train=1000,
        max_validation=500,
        from_scratch=FromScratch(input_size=48, max_epochs=2, max_train_images=300),
        # Of 48 pixels the last maps would be 2x2, where ImageNet's features say little; 260 takes
        # seven times as long.
        min_backbone_size=96,
    ),
    "standard": Preset(from_scratch=FROM_SCRATCH),
    "thorough": Preset(
        search=SearchSettings(method=DEFAULT_METHOD, max_epochs=81, factor=3, iterations=1),
        min_retrain_epochs=120,
        seeds=5,
        schedule="cosine",
        from_scratch=FROM_SCRATCH,
    ),
}


def states_seeds(overrides: Sequence[str]) -> bool:
    """Whether `--set` says how many trainings each model gets, which beats the preset."""
    return any(override.partition("=")[0].strip() == "retrain.seeds" for override in overrides)


def apply(preset: Preset, options: RunOptions, file: SearchSpaceFile) -> SearchSpaceFile:
    """The space's own settings, then what the preset states, then what the command line states.

    Raises:
        ConfigurationError: If the numbers make no Hyperband.
    """
    # A preset says how much is searched, the space how.
    search = replace(preset.search, method=file.search.method) if preset.search else file.search
    search = replace(
        search,
        max_epochs=search.max_epochs if options.max_epochs is None else options.max_epochs,
        factor=search.factor if options.factor is None else options.factor,
        max_trials=file.search.max_trials if options.max_trials is None else options.max_trials,
        max_total_epochs=file.search.max_total_epochs,
        patience=file.search.patience,
    )
    if search.max_epochs < 1 or search.factor < 2:
        raise ConfigurationError(
            "a search needs max_epochs of at least 1 and a factor of at least 2, but got"
            f" {search.max_epochs} and {search.factor}",
            "for example --max-epochs 27 --factor 3.",
        )
    if search.max_total_epochs is not None and search.max_total_epochs < search.max_epochs:
        raise ConfigurationError(
            f"search.max_total_epochs is {search.max_total_epochs}, too few to train one trial to"
            f" max_epochs, {search.max_epochs}",
            "raise the one or lower the other.",
        )
    epochs = max(file.retrain.epochs, preset.min_retrain_epochs)
    retrain = RetrainSettings(
        epochs=min(epochs, preset.max_retrain_epochs or epochs),
        seeds=(
            file.retrain.seeds
            if states_seeds(options.overrides)
            else preset.seeds or file.retrain.seeds
        ),
        patience=file.retrain.patience,
    )
    return replace(file, search=search, retrain=retrain)
