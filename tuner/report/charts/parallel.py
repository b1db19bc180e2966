"""Parallel coordinates: the trials as bytes, which `templates/parallel.js` draws on a canvas."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from tuner.records.trial import Trial
from tuner.report.charts.scales import Scale, of_parameter, of_scores
from tuner.space.definition import Direction, Parameter

# A trial takes one byte per axis; more would make a page that opens slowly.
MAX_BYTES = 150_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """This part of the section.

    Attributes:
        scales: The axes from left to right: hyperparameters, then the objective.
        positions: A row per drawn trial, the best first: its places on the axes, 0 to 255; shape
            (trials, axes).
        n_trials: Trials that have a score.
    """

    scales: tuple[Scale, ...]
    positions: NDArray[np.uint8]
    n_trials: int

    @property
    def n_drawn(self) -> int:
        """Trials that the page holds: the best ones."""
        return len(self.positions)

    @property
    def data(self) -> Markup:
        """JSON for a script element, which no name in it can end."""
        payload = {
            "axes": [_axis(scale) for scale in self.scales],
            "positions": base64.b64encode(self.positions.tobytes()).decode(),
        }
        text = json.dumps(payload, allow_nan=False, separators=(",", ":"))
        return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def compute(
    ranked: Sequence[Trial], parameters: Sequence[Parameter], objective: str, direction: Direction
) -> Parallel:
    """What is drawn.

    Args:
        ranked: Trials with finite scores, the best first; at least one.
        parameters: The searched ones, in the order of the axes.
        objective: Its name.
        direction: `max` or `min`.
    """
    score_scale = of_scores([t.score for t in ranked if t.score is not None], objective, direction)
    scales = tuple(of_parameter(parameter, ranked) for parameter in parameters)
    drawn = ranked[: MAX_BYTES // (len(scales) + 1)]
    places = [
        [*(s.place(t.values.get(s.name)) for s in scales), score_scale.place(t.score)]
        for t in drawn
    ]
    return Parallel(
        scales=(*scales, score_scale),
        positions=np.rint(255 * np.array(places)).astype(np.uint8),
        n_trials=len(ranked),
    )


def _axis(scale: Scale) -> dict[str, Any]:
    """What the script needs to draw an axis.

    Numbers have a range, categories have their labels alone.
    """
    numbers = (
        {}
        if scale.choices
        else {
            "low": scale.low,
            "high": scale.high,
            "log": scale.log,
            "end": scale.end,
            **({"whole": True} if scale.is_whole else {}),
            **({"share": True} if scale.is_share else {}),
        }
    )
    return {
        "name": scale.name,
        "ticks": [[round(place, 4), label] for place, label in scale.ticks],
        **numbers,
    }
