"""`constraints:` of a search space file: upper bounds, each written as `"<= 5e6"`."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tuner.space.documents.validation import shown
from tuner.space.parsing.parameter_specs import Given

_BOUND = r"\s*<=\s*(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"


def _as_bound(value: Any) -> float:
    """The number of a bound.

    Raises:
        ValueError: If it is no upper bound, or none that a model can keep.
    """
    if not isinstance(value, str) or not re.fullmatch(_BOUND, value):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        hint = f'write "<= {value}".' if is_number else 'write "<= " and a number.'
        raise ValueError(f'is {shown(value)}; expected an upper bound such as "<= 5e6". | {hint}')
    bound = float(value.replace("<=", ""))
    if not 0 < bound < math.inf:
        raise ValueError(f"is {shown(value)}; expected a number above 0, and a finite one.")
    return bound


Bound = Annotated[
    float,
    BeforeValidator(_as_bound, json_schema_input_type=Annotated[str, Field(pattern=f"^{_BOUND}$")]),
]


class ConstraintsSpec(Given):
    """What a model must stay under: others are not trained, or not used."""

    parameters: Bound | None = Field(
        default=None, description="Parameters of the model, frozen ones included."
    )
    latency_ms: Bound | None = Field(
        default=None,
        description="Milliseconds per image, predicted one at a time on the machine of the run.",
    )
    file_mb: Bound | None = Field(
        default=None, description="Size of the saved model, in millions of bytes."
    )
