"""The shape of a search space file, for pydantic and editors; `checks` judges the values."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    WithJsonSchema,
    field_validator,
)

from tuner.names import one_line
from tuner.space.methods import DEFAULT_METHOD, METHODS, method_help
from tuner.space.validation import Strict, shown
from tuner.space.vocabulary import BACKBONE_NAMES, VOCABULARIES, Term


def _scalar(value: Any) -> Any:
    allowed = isinstance(value, bool | int | float | str)
    if not allowed:
        raise ValueError(f"is {shown(value)}; expected a number, text, true or false.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("is infinite; expected a finite number.")
    if isinstance(value, str) and one_line(value) != value:
        raise ValueError(
            f"is {shown(value)}; expected text without line breaks and control characters."
        )
    return value


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _as_spec(value: Any) -> Any:
    if isinstance(value, list):
        return {"type": "choice", "values": value}
    if not isinstance(value, dict):
        return {"type": "fixed", "value": value}
    if "type" not in value:
        raise ValueError("has no type. | add type: int, float, choice, boolean or fixed.")
    return value


def _as_objective(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class _Given(Strict):
    """A key without a value is a mistake, not a way to ask for the default."""

    # Not "*": pydantic allows no such validator on `type`, which tells the specs apart.
    @field_validator(
        "step",
        "per",
        "when",
        "value",
        "direction",
        "dataset",
        "normalization",
        "split",
        "max_trials",
        "patience",
        mode="before",
        check_fields=False,
    )
    @classmethod
    def _has_value(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("has no value. | give it one, or delete the line.")
        return value


# More than a search ever tries; epochs and trials of years.
MAX_VALUES = 1_000
MAX_KEYS = 500
MAX_EPOCHS = 100_000
MAX_TRIALS = 1_000_000
MAX_TOTAL_EPOCHS = 1_000_000_000

Scalar = Annotated[
    Any, AfterValidator(_scalar), WithJsonSchema({"type": ["number", "string", "boolean"]})
]
Values = Annotated[list[Scalar], Field(min_length=1, max_length=MAX_VALUES)]
When = Annotated[
    dict[str, Annotated[Values, BeforeValidator(_as_list, json_schema_input_type=Scalar | Values)]],
    Field(
        min_length=1,
        description=(
            "Active only where each named parameter has the value given, or one of those in a list."
        ),
    ),
]
Per = Annotated[
    str,
    Field(description="One parameter per block: NAME_0, NAME_1, ... up to this parameter's value."),
]
Sampling = Annotated[
    Literal["linear", "log"], Field(description="Scale on which values are drawn evenly.")
]


class IntSpec(_Given):
    """A whole number from min to max."""

    type: Literal["int"]
    min: int = Field(description="Smallest value, included.")
    max: int = Field(description="Largest value, included.")
    step: int | None = Field(
        default=None, description="Distance of neighbouring values; 1 by default."
    )
    sampling: Sampling = "linear"
    per: Per | None = None
    when: When | None = None


class FloatSpec(_Given):
    """A number from min to max."""

    type: Literal["float"]
    min: FiniteFloat = Field(description="Smallest value, included.")
    max: FiniteFloat = Field(description="Largest value, included.")
    step: FiniteFloat | None = Field(
        default=None, description="Distance of neighbouring values; any value by default."
    )
    sampling: Sampling = "linear"
    per: Per | None = None
    when: When | None = None


class ChoiceSpec(_Given):
    """One of some values, in no order; a plain list is short for it."""

    type: Literal["choice"]
    values: Values = Field(description="Two or more values of one kind.")
    per: Per | None = None
    when: When | None = None


class BooleanSpec(_Given):
    """False or true."""

    type: Literal["boolean"]
    per: Per | None = None
    when: When | None = None


class FixedSpec(_Given):
    """One value that is not searched; a plain value is short for it."""

    type: Literal["fixed"]
    value: Scalar
    when: When | None = None


TaggedSpec = Annotated[
    IntSpec | FloatSpec | ChoiceSpec | BooleanSpec | FixedSpec, Field(discriminator="type")
]
Spec = Annotated[
    TaggedSpec, BeforeValidator(_as_spec, json_schema_input_type=TaggedSpec | Values | Scalar)
]


class ObjectiveSpec(_Given):
    """What the search optimises."""

    name: str = Field(min_length=1, description="Metric of an epoch, such as val_accuracy.")
    direction: Literal["max", "min"] | None = Field(
        default=None, description="By default min for names that end in loss, max for all others."
    )


if TYPE_CHECKING:
    MethodName = str
else:
    # The names are those of the list of methods, and of nothing else.
    MethodName = Literal[tuple(METHODS)]


class SearchSpec(_Given):
    """How the space is searched."""

    method: MethodName = Field(default=DEFAULT_METHOD, description=method_help())
    max_epochs: int = Field(
        default=27,
        ge=1,
        le=MAX_EPOCHS,
        description="Epochs of the last rung; best a power of factor.",
    )
    factor: int = Field(
        default=3,
        ge=2,
        le=1_000,
        description="One of so many trials is promoted from rung to rung.",
    )
    iterations: int = Field(
        default=1,
        ge=1,
        le=1_000,
        description=(
            "How often the whole of Hyperband is run; the other methods get as much to do by"
            " default."
        ),
    )
    max_total_epochs: int | None = Field(
        default=None,
        ge=1,
        le=MAX_TOTAL_EPOCHS,
        description=(
            "Epochs of all trials together at most; by default the sum of Hyperband's, or no limit"
            " where max_trials is given."
        ),
    )
    max_trials: int | None = Field(
        default=None,
        ge=1,
        le=MAX_TRIALS,
        description="Trials at most, promotions included; by default as many as the method needs.",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        le=MAX_EPOCHS,
        description=(
            "Epochs without improvement of the objective after which a trial ends; by default it"
            " never does."
        ),
    )


class RetrainSpec(_Given):
    """How the winner and its opponents are retrained."""

    epochs: int = Field(
        default=60, ge=1, le=MAX_EPOCHS, description="Most epochs of one retraining."
    )
    seeds: int = Field(default=3, ge=1, le=1_000, description="Retrainings per model.")
    patience: int = Field(
        default=10,
        ge=1,
        le=MAX_EPOCHS,
        description="Epochs without improvement after which a retraining ends.",
    )


class SplitSpec(_Given):
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
Normalization = Literal["rescale", "standardize", "per_image"]


class SpaceFile(_Given):
    """A search space for `python -m tuner run`."""

    version: Literal[1] = Field(description="Version of this format.")
    dataset: str | None = Field(
        default=None, min_length=1, description="A data card's name; left out, it serves any."
    )
    model: str = Field(
        default="cnn",
        description="A built-in family, or a builder of your own: package.module:function.",
    )
    objective: Annotated[
        ObjectiveSpec, BeforeValidator(_as_objective, json_schema_input_type=str | ObjectiveSpec)
    ] = Field(default=ObjectiveSpec(name="val_accuracy"), description="Metric that is optimised.")
    space: dict[str, Spec] = Field(
        max_length=MAX_KEYS,
        description="The hyperparameters: searched, a list (choice) or a plain value (fixed).",
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
    normalization: Normalization | None = Field(
        default=None, description="Short for a fixed `normalization` in the space."
    )
    split: SplitSpec | None = None


def space_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a search space file, with the built-in families' names.

    Where families mean different things by a name, the help is the CNN's.
    """
    schema = SpaceFile.model_json_schema()
    space = schema["properties"]["space"]
    schema["$defs"]["Parameter"] = space["additionalProperties"]
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
