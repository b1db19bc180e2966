"""Durations and sizes as people type them: `30m`, `4GB`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

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
                f"{value!r} is no {self.name}; give a number and one of {units}, such as"
                f" {self._example}.",
                param,
                ctx,
            )
        return float(match[1]) * factor


DURATION = _Unit("duration", _SECONDS, "90s or 30m")
SIZE = _Unit("size", _BYTES, "4GB")
