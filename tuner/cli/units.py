"""Durations, sizes and sizes of images as people type them: `30m`, `4GB`, `224`, `96x128`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

from tuner.records.image import LEAST_PIXELS, MOST_PIXELS

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30}


class _Unit(click.ParamType[float]):
    """A number of 0 or more with a unit."""

    def __init__(self, name: str, factors: Mapping[str, float], example: str) -> None:
        self.name = name
        self._factors, self._example = factors, example

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number in seconds or bytes."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", str(value).strip())
        factor = self._factors.get(match[2].lower()) if match else None
        if match is None or factor is None:
            units = ", ".join(unit for unit in self._factors if unit)
            self.fail(
                f"{value!r} is not a {self.name}; give a number and one of {units}, such as"
                f" {self._example}.",
                param,
                ctx,
            )
        return float(match[1]) * factor


class _ImageSize(click.ParamType[tuple[int, int]]):
    """Height and width in pixels: one number for both, or the two with an x between."""

    name = "image size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Height and width."""
        match = re.fullmatch(r"(\d{1,4})(?:x(\d{1,4}))?", str(value).strip().lower())
        sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not (min(sides) >= LEAST_PIXELS and max(sides) <= MOST_PIXELS):
            self.fail(
                f"{value!r} is not an image size; give {LEAST_PIXELS} to {MOST_PIXELS} pixels,"
                " such as 224, or height and width, such as 96x128.",
                param,
                ctx,
            )
        return sides


DURATION = _Unit("duration", _SECONDS, "90s or 30m")
SIZE = _Unit("size", _BYTES, "4GB")
IMAGE_SIZE = _ImageSize()
