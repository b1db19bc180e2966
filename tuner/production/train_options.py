"""What you ask of `train`, and what holds where you say nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.pipeline.run_options import DATA_ROOT

if TYPE_CHECKING:
    # It imports pydantic, which a command's help does without.
    from tuner.space.costs import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeTraining:
    """How a recipe is trained.

    Attributes:
        full_data: Train on validation images too, for as many epochs as the best epoch of the run.
        seed: Replaces the recipe's; None keeps it, so that the run's own training is repeated.
        seeds: Trainings; those after the first have seeds that descend from its seed.
        threads: Of the processor; with one, as in a run, the run's numbers come out again to the
            last bit.
    """

    full_data: bool = False
    seed: int | None = None
    seeds: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """Options of `train`.

    Attributes:
        source: A run's folder, or a name of it, or a best.yaml.
        model: Name of one of the run's models; None takes the recommended one.
        data: Other data of the same classes; None takes the recipe's own.
        labels: A list of corrected labels; None takes the recipe's for the recipe's own data.
        training: How it is trained.
        data_dir: Root of the data.
        out: The folder to write; None puts it beside the recipe.
        verify: Whether a score outside of the expected interval is a failure.
        command: The command line, for the report.
        choose: Takes the best setting of the run whose model keeps these limits; empty takes the
            recipe as it is.
    """

    source: Path
    model: str | None = None
    data: str | None = None
    labels: Path | None = None
    training: RecipeTraining = field(default_factory=RecipeTraining)
    data_dir: Path = DATA_ROOT
    out: Path | None = None
    verify: bool = False
    command: str = ""
    choose: tuple[Limit, ...] = ()
