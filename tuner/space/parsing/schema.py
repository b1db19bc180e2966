"""The shape of a search space file, for pydantic and editors; `checks` judges the values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tuner.space.costs import COSTS
from tuner.space.definition import Direction, PrecisionChoice
from tuner.space.documents.validation import shown
from tuner.space.methods import DEFAULT_METHOD, METHODS, method_help
from tuner.space.parsing.constraint_specs import ConstraintsSpec
from tuner.space.parsing.families import as_names
from tuner.space.parsing.parameter_specs import Declaration, Given
from tuner.space.trackers import TRACKERS, tracker_help
from tuner.space.vocabulary import BACKBONE_NAMES, VOCABULARIES, Normalization, Term

# More keys than a space ever has; epochs and trials of years.
MAX_KEYS = 500
MAX_EPOCHS = 100_000
MAX_TRIALS = 1_000_000
MAX_TOTAL_EPOCHS = 1_000_000_000
MAX_FINALISTS = 100
MAX_STARTS = 100
MAX_FAMILIES = 20


def _as_objective(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class ObjectiveSpec(Given):
    """What the search optimises."""

    name: str = Field(min_length=1, description="Metric of an epoch, such as val_accuracy.")
    direction: Direction | None = Field(
        default=None, description="By default min for names that end in loss, max for all others."
    )


if TYPE_CHECKING:
    MethodName = str
else:
    # The names are those of the list of methods, and of nothing else.
    MethodName = Literal[tuple(METHODS)]


class SearchSpec(Given):
    """How the space is searched."""

    method: MethodName = Field(default=DEFAULT_METHOD, description=method_help())
    max_epochs: int = Field(
        default=27,
        ge=1,
        le=MAX_EPOCHS,
        description="Epochs of the last rung; ideally a power of factor.",
    )
    min_epochs: int = Field(
        default=1,
        ge=1,
        le=MAX_EPOCHS,
        description=(
            "Minimum epochs of the first rung, for small data, whose epochs have few steps;"
            " ideally max_epochs divided by a power of factor."
        ),
    )
    factor: int = Field(
        default=3,
        ge=2,
        le=1_000,
        description="One in this many trials is promoted to the next rung.",
    )
    iterations: int = Field(
        default=1,
        ge=1,
        le=1_000,
        description=(
            "Number of times that Hyperband runs; the other methods have the same budget by"
            " default."
        ),
    )
    max_total_epochs: int | None = Field(
        default=None,
        ge=1,
        le=MAX_TOTAL_EPOCHS,
        description=(
            "Maximum epochs of all trials together; by default the sum of Hyperband's brackets;"
            " no limit if max_trials is given."
        ),
    )
    max_trials: int | None = Field(
        default=None,
        ge=1,
        le=MAX_TRIALS,
        description=(
            "Maximum number of trials, promotions included; by default as many as the method needs."
        ),
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        le=MAX_EPOCHS,
        description=(
            "Epochs without improvement of the objective after which a trial ends; by default"
            " trials do not end early."
        ),
    )
    min_expected_gain: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description=(
            "End the search if its model predicts less improvement than this for every new"
            " setting, in the unit of the objective, such as 0.001; by default the budget ends"
            " it. For model_hyperband."
        ),
    )


class RetrainSpec(Given):
    """How the winner and its opponents are retrained."""

    epochs: int = Field(
        default=60, ge=1, le=MAX_EPOCHS, description="Maximum epochs of one retraining."
    )
    seeds: int = Field(default=3, ge=1, le=1_000, description="Retrainings per model.")
    patience: int = Field(
        default=10,
        ge=1,
        le=MAX_EPOCHS,
        description="Epochs without improvement after which a retraining ends.",
    )
    finalists: int | None = Field(
        default=None,
        ge=1,
        le=MAX_FINALISTS,
        description=(
            "Maximum number of settings to retrain if validation cannot tell them apart; the best"
            " of them is the winner. By default the preset decides."
        ),
    )


class SplitSpec(Given):
    """An override of the split, for benchmarks: the first images of the training part."""

    train: int = Field(ge=1, description="Number of training images.")
    validation: int = Field(ge=1, description="Number of validation images, the next ones.")


# The first two are trained as a card states them, the next two are made of what the run has
# trained; the others are the backbones of the vocabulary.
if TYPE_CHECKING:
    Opponent = str
else:
    # The backbones are in the vocabulary alone, which type checkers cannot follow.
    Opponent = Literal[("baseline", "baseline_published", "tuned_tta", "ensemble", *BACKBONE_NAMES)]


if TYPE_CHECKING:
    TrackerName = str
else:
    TrackerName = Literal[tuple(TRACKERS)]


class SpaceFile(Given):
    """A search space for `python -m tuner run`."""

    version: Literal[1] = Field(description="Version of this format.")
    dataset: str | None = Field(
        default=None,
        min_length=1,
        description="Name of a data card; without it, the space serves any data set.",
    )
    model: Annotated[
        list[str], BeforeValidator(as_names, json_schema_input_type=str | list[str])
    ] = Field(
        default=["cnn"],
        max_length=MAX_FAMILIES,
        json_schema_extra={"default": "cnn"},
        description=(
            "A built-in family, a builder of your own (package.module:function), a list of"
            " families that are searched together, or auto: the list that fits the data."
        ),
    )
    objective: Annotated[
        ObjectiveSpec, BeforeValidator(_as_objective, json_schema_input_type=str | ObjectiveSpec)
    ] = Field(default=ObjectiveSpec(name="val_accuracy"), description="Metric that is optimised.")
    objectives: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        max_length=1 + len(COSTS),
        description=(
            "The objective, then costs to keep low: "
            + "; ".join(f"{name} ({cost.help})" for name, cost in COSTS.items())
            + ". The run then shows which settings no other one beats in all of them."
        ),
    )
    space: dict[str, Declaration] = Field(
        max_length=MAX_KEYS,
        description=(
            "The hyperparameters: searched, a list (choice), a plain value (fixed), or a list of"
            " ranges, each with its own when."
        ),
    )
    search: SearchSpec = SearchSpec()
    compare: list[Opponent] = Field(
        default=["baseline", "efficientnet_b2"],
        max_length=100,
        description=(
            "Opponents of the winner; also tuned_tta, its probabilities averaged over views of an"
            " image, and ensemble, of the best trials."
        ),
    )
    backbone: dict[str, Any] = Field(
        default={},
        max_length=MAX_KEYS,
        description="Hyperparameters of the opponents that are pretrained, such as input_size.",
    )
    retrain: RetrainSpec = RetrainSpec()
    constraints: ConstraintsSpec = ConstraintsSpec()
    start_from: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        max_length=MAX_STARTS,
        description=(
            "Starting settings, trained first, for all epochs: baseline, defaults (of the model),"
            " auto (winners of earlier runs on similar data), the folder of a run, or a recipe such"
            " as best.yaml."
        ),
    )
    normalization: Normalization | None = Field(
        default=None, description="Short for a fixed `normalization` in the space."
    )
    split: SplitSpec | None = None
    precision: PrecisionChoice = Field(
        default="auto",
        description=(
            "Precision of training, as a dtype policy of Keras; auto uses 16 bits if that trains"
            " faster on the machine."
        ),
    )
    track: list[TrackerName] = Field(
        default=[],
        max_length=len(TRACKERS),
        description=f"Trackers that a run is written to while it runs: {tracker_help()}.",
    )


def space_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a search space file, with the built-in families' names.

    Where families mean different things by a name, the help is the CNN's.
    """
    schema = SpaceFile.model_json_schema()
    space = schema["properties"]["space"]
    one, several = space["additionalProperties"]["oneOf"]
    schema["$defs"]["Parameter"] = {"anyOf": [*one["anyOf"], several]}
    reference = {"$ref": "#/$defs/Parameter"}
    space["additionalProperties"] = reference
    terms = {**VOCABULARIES[BACKBONE_NAMES[0]], **VOCABULARIES["cnn"]}
    space["properties"] = {
        name: {"description": _help(name, term), **reference} for name, term in terms.items()
    }
    return (
        {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        | schema
        | {"title": "Tuner search space"}
    )


def _help(name: str, term: Term) -> str:
    per_block = f" May be set per block, as {name}_0, {name}_1, ..." if term.per_block else ""
    return (
        f"{term.help[:1].upper()}{term.help[1:]}: {term.expected}; {shown(term.default)} by"
        f" default.{per_block}"
    )


def schema_text() -> str:
    """The JSON Schema as docs/schema/space.schema.json holds it."""
    return json.dumps(space_json_schema(), indent=2) + "\n"
