"""The model that a data set's original project states."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from tuner.space.documents.validation import Strict, both_or_neither


class Published(Strict):
    """How the baseline's source trains it."""

    epochs: int = Field(ge=1)
    stop_metric: str | None = Field(
        default=None, description="ends training as soon as it reaches stop_value"
    )
    stop_value: float | None = None

    @model_validator(mode="after")
    def _stop_is_whole(self) -> Self:
        both_or_neither(self, "stop_metric", "stop_value")
        return self


class Baseline(Strict):
    """The model that the data set's original project states."""

    model: str
    title: str
    source: str
    values: dict[str, Any]
    assumed: list[str] = Field(
        default=[], description="names of the values that the source leaves open"
    )
    published: Published

    @field_validator("assumed")
    @classmethod
    def _assumed_is_set(cls, assumed: list[str], info: Any) -> list[str]:
        for name in assumed:
            if name not in info.data.get("values", {name: None}):
                raise ValueError(
                    f'names "{name}", which is not under values | add it to values, or take it out.'
                )
        return assumed
