"""What every image of a data set is turned into."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from tuner.records.image import LEAST_PIXELS, MOST_PIXELS
from tuner.space.documents.validation import Strict

ChannelValue = Annotated[int, Field(ge=0, le=255)]


class ImageSettings(Strict):
    """What every image is turned into; folders of images are stretched to this size."""

    height: int = Field(ge=LEAST_PIXELS, le=MOST_PIXELS)
    width: int = Field(ge=LEAST_PIXELS, le=MOST_PIXELS)
    channels: Literal[1, 3]
    background: list[ChannelValue] = Field(
        default=[255, 255, 255],
        min_length=3,
        max_length=3,
        description="red, green, blue under transparent pixels",
    )
    value_range: list[float] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description=(
            "the values that become 0 and 255 in images of more than 8 bits, such as [0, 4095]; by"
            " default the range is found from the largest value of the whole data set. Images of 8"
            " bits are never changed"
        ),
    )

    @field_validator("value_range")
    @classmethod
    def _white_is_above_black(cls, ends: list[float] | None) -> list[float] | None:
        if ends is not None and not (
            math.isfinite(ends[0]) and math.isfinite(ends[1]) and ends[0] < ends[1]
        ):
            raise ValueError(
                f"is {ends[0]:g} to {ends[1]:g}, which is not a range. | give black first, then"
                " white."
            )
        return ends

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels
