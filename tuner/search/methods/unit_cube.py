"""Settings of a space as points, so that a model can tell how far they are from each other.

A hyperparameter is a coordinate from 0 to 1 on its scale, linear or logarithmic; a list of numbers
is placed by rank. Words have no order: each is a coordinate of its own, so that any two words are
at distance 1. Ranges of one name, also those of several families, share its coordinates, each from
its own low end to its high end. What a setting has switched off is in the middle: of two settings
without it, it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.space.definition import Parameter, Space, by_name
from tuner.space.priors import cell, n_cells, value_at
from tuner.space.sampling import is_active, setting_of

Floats = NDArray[np.float64]

_MIDDLE = 0.5
# Of a perturbed setting: how likely each hyperparameter changes, and how far a number moves.
_CHANGE_RATE = 0.5
_SPREADS = (0.03, 0.1, 0.3)


@dataclass(frozen=True, slots=True)
class _Words:
    """Coordinates of a name that is searched over words: one for each."""

    first: int
    choices: tuple[Any, ...]


class UnitCube:
    """The space as a cube.

    A setting is either a row of *places*, one for each parameter of the space, or a *point*, one
    coordinate or several for each name.

    Attributes:
        names: Number of the name that each coordinate belongs to; shape (n_coordinates,).
    """

    def __init__(self, space: Space) -> None:
        """Give each name its coordinates."""
        self._space = space
        self._parameters = space.parameters
        self._words: dict[str, _Words] = {}
        self._column: dict[str, int] = {}
        names: list[int] = []
        for number, (name, ranges) in enumerate(by_name(space.parameters).items()):
            self._column[name] = len(names)
            choices = tuple(dict.fromkeys(c for one in ranges for c in one.choices))
            if any(_is_word(one) for one in ranges):
                self._words[name] = _Words(len(names), choices)
            names += [number] * (len(choices) if name in self._words else 1)
        self.names = np.array(names, dtype=np.intp)
        self._parents = {c.parent for one in self._parameters for c in one.conditions}

    @property
    def n_names(self) -> int:
        """Hyperparameters that are searched."""
        return len(self._column)

    def places(self, setting: Mapping[str, Any]) -> Floats:
        """A setting as places from 0 to 1; NaN of what is switched off."""
        return np.array(
            [
                sum(cell(one, setting[one.name])) / 2 if is_active(one, setting) else np.nan
                for one in self._parameters
            ]
        )

    def setting(self, places: Floats) -> dict[str, Any]:
        """The setting at some places; those of what it switches off are ignored."""
        at = {id(one): float(place) for one, place in zip(self._parameters, places, strict=True)}
        return setting_of(self._space, lambda one: value_at(one, at[id(one)]))

    def points(self, places: Floats) -> Floats:
        """Points in the cube.

        Args:
            places: Shape (n, n_parameters); NaN of what is switched off.

        Returns:
            Shape (n, n_coordinates).
        """
        points = np.full((len(places), len(self.names)), _MIDDLE)
        for words in self._words.values():
            points[:, words.first : words.first + len(words.choices)] = 0.0
        for one, column in zip(self._parameters, places.T, strict=True):
            rows = np.flatnonzero(~np.isnan(column))
            if one.name in self._words:
                points[rows, self._coordinate(one)[_cell_number(one, column[rows])]] = 2**-0.5
            else:
                points[rows, self._column[one.name]] = column[rows]
        return points

    def drawn(self, n: int, rng: np.random.Generator) -> Floats:
        """Places of settings that are drawn evenly; shape (n, n_parameters)."""
        return self._active_only(rng.random((n, len(self._parameters))))

    def latin_hypercube(self, n: int, rng: np.random.Generator) -> Floats:
        """Places of settings that are drawn evenly together (McKay et al., Technometrics 21, 1979).

        Each of `n` equal parts of each parameter's scale is drawn from once.
        """
        order = np.argsort(rng.random((n, len(self._parameters))), axis=0)
        return self._active_only((order + rng.random(order.shape)) / n)

    def perturbed(self, places: Floats, rng: np.random.Generator) -> Floats:
        """Places near others, row by row: numbers move a little or a lot, words are drawn again.

        What would leave its range is put at the end of it: the best setting of a space often lies
        there, and even draws never do.
        """
        new = rng.random(places.shape)
        spread = rng.choice(_SPREADS, size=(len(places), 1))
        moved = places + spread * rng.standard_normal(places.shape)
        are_words = np.array([_is_word(one) for one in self._parameters], dtype=bool)
        is_new = np.isnan(places) | are_words
        changed = np.where(is_new, new, moved)
        keeps = (rng.random(places.shape) >= _CHANGE_RATE) & ~np.isnan(places)
        return self._active_only(np.where(keeps, places, changed))

    def _active_only(self, places: Floats) -> Floats:
        """Middles of cells where there are cells, and NaN where the parents switch a range off."""
        places = np.clip(places, 0.0, np.nextafter(1.0, 0.0))
        values: dict[str, NDArray[np.object_]] = {}
        for i, one in enumerate(self._parameters):
            column = places[:, i]
            if (n := n_cells(one)) is not None:
                column = (np.floor(column * n) + 0.5) / n
            is_on = np.ones(len(places), dtype=bool)
            for condition in one.conditions:
                allowed = set(condition.values)
                parents = values[condition.parent]
                is_on &= np.fromiter((value in allowed for value in parents), dtype=bool)
            places[:, i] = np.where(is_on, column, np.nan)
            if one.name in self._parents:
                found = values.setdefault(one.name, np.full(len(places), None, dtype=object))
                for row in np.flatnonzero(is_on):
                    found[row] = value_at(one, float(column[row]))
        return places

    def _coordinate(self, parameter: Parameter) -> NDArray[np.intp]:
        """The coordinate of each word of a range, in the order of its places."""
        words = self._words[parameter.name]
        return np.array([words.first + words.choices.index(c) for c in sorted(parameter.choices)])


def _is_word(parameter: Parameter) -> bool:
    return parameter.kind in ("choice", "boolean")


def _cell_number(parameter: Parameter, places: Floats) -> NDArray[np.intp]:
    return np.minimum(places * len(parameter.choices), len(parameter.choices) - 1).astype(np.intp)
