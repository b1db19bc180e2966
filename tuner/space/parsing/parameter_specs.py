"""The parameters of a search space file, each as its file states it; `checks` judges the values."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    WithJsonSchema,
    field_validator,
)

from tuner.names import one_line
from tuner.space.definition import DEFAULT_SPREAD
from tuner.space.documents.validation import Strict, shown


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


def is_several(value: Any) -> bool:
    """Whether a declaration is a list of ranges: one with keys among its items is enough."""
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _as_range(value: Any) -> Any:
    if isinstance(value, dict):
        return _as_spec(value)
    raise ValueError(f"is {shown(value)}; expected keys with values, as beside it.")


def _as_several(value: Any) -> Any:
    if len(value) < 2:
        raise ValueError("has one range only. | write it without the list.")
    return value


def _as_spec(value: Any) -> Any:
    if isinstance(value, list):
        return {"type": "choice", "values": value}
    if not isinstance(value, dict):
        return {"type": "fixed", "value": value}
    if "type" not in value:
        raise ValueError("has no type. | add type: int, float, choice, boolean or fixed.")
    return value


class Given(Strict):
    """A key without a value is a mistake, not a way to ask for the default."""

    # Not "*": pydantic allows no such validator on `type`, which tells the specs apart.
    @field_validator(
        "step",
        "per",
        "when",
        "prior",
        "spread",
        "value",
        "direction",
        "dataset",
        "normalization",
        "split",
        "max_total_epochs",
        "max_trials",
        "patience",
        "parameters",
        "latency_ms",
        "file_mb",
        mode="before",
        check_fields=False,
    )
    @classmethod
    def _has_value(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("has no value. | give it one, or delete the line.")
        return value


# More values of a parameter than a search ever tries, and more ranges.
MAX_VALUES = 1_000
MAX_RANGES = 100

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


def _as_usual(value: Any) -> Any:
    return value if isinstance(value, dict) else {"value": value}


def _weights(value: Any) -> Any:
    if not isinstance(value, dict):
        return _scalar(value)
    return {key: _scalar(weight) for key, weight in value.items()}


class UsualSpec(Given):
    """The usual value of a number, and how far from it settings are drawn."""

    value: Scalar = Field(description="The usual value.")
    spread: FiniteFloat = Field(
        default=DEFAULT_SPREAD,
        gt=0,
        le=1,
        description=(
            "Standard deviation around it, as a share of the range; of a range with sampling: log"
            " on that scale."
        ),
    )


Usual = Annotated[
    UsualSpec,
    BeforeValidator(_as_usual, json_schema_input_type=UsualSpec | float),
    Field(description="The usual value: a part of the settings is drawn from around it."),
]
Favourites = Annotated[
    Any,
    AfterValidator(_weights),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["number", "string", "boolean"]},
                {"type": "object", "additionalProperties": {"type": "number"}, "minProperties": 1},
            ],
            "description": (
                "The usual value, or a weight for each value: a part of the settings is drawn from"
                " it. Of a list of numbers also {value: ..., spread: ...}."
            ),
        }
    ),
]


class IntSpec(Given):
    """A whole number from min to max."""

    type: Literal["int"]
    min: int = Field(description="Smallest value, included.")
    max: int = Field(description="Largest value, included.")
    step: int | None = Field(
        default=None, description="Distance of neighbouring values; 1 by default."
    )
    sampling: Sampling = "linear"
    prior: Usual | None = None
    per: Per | None = None
    when: When | None = None


class FloatSpec(Given):
    """A number from min to max."""

    type: Literal["float"]
    min: FiniteFloat = Field(description="Smallest value, included.")
    max: FiniteFloat = Field(description="Largest value, included.")
    step: FiniteFloat | None = Field(
        default=None, description="Distance of neighbouring values; any value by default."
    )
    sampling: Sampling = "linear"
    prior: Usual | None = None
    per: Per | None = None
    when: When | None = None


class ChoiceSpec(Given):
    """One of some values; numbers have an order, words have none. A plain list is short for it."""

    type: Literal["choice"]
    values: Values = Field(description="Two or more values of one kind.")
    prior: Favourites | None = None
    per: Per | None = None
    when: When | None = None


class BooleanSpec(Given):
    """False or true."""

    type: Literal["boolean"]
    prior: Favourites | None = None
    per: Per | None = None
    when: When | None = None


class FixedSpec(Given):
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
Range = Annotated[TaggedSpec, BeforeValidator(_as_range, json_schema_input_type=TaggedSpec)]
Ranges = Annotated[
    list[Range],
    Field(
        min_length=2,
        max_length=MAX_RANGES,
        description="Several ranges, each with a when, of which at most one holds at a time.",
    ),
    BeforeValidator(_as_several),
]
# What may stand at a name. The tags serve pydantic alone: an error names the mistakes of the form
# that was meant.
Declaration = Annotated[
    Annotated[Spec, Tag("one declaration")] | Annotated[Ranges, Tag("several ranges")],
    Discriminator(lambda value: "several ranges" if is_several(value) else "one declaration"),
]
