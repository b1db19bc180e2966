"""New settings: each of them distinct, and worth training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from tuner.errors import ConfigurationError, SpaceError
from tuner.space.constraints import breach_of, nearest_miss, remedy
from tuner.space.definition import Parameter, Space
from tuner.space.sampling import grid_values, has_setting, n_settings, sample

# When so many proposals in a row bring nothing new, a space counts as exhausted.
MAX_PROPOSALS = 1000
# Up to so many settings, the last ones that random draws miss are looked for one by one.
SMALL_SPACE = 10_000


class Proposals:
    """Finds settings that were not tried before and may be trained.

    Attributes:
        rejected: Why settings were never proposed, by their key.
        generator: Every random decision comes from it.
    """

    def __init__(
        self, space: Space, seed: int, problem: Callable[[Mapping[str, Any]], str | None]
    ) -> None:
        """Start with nothing tried.

        Args:
            space: Where from.
            seed: Decides every draw; 0 is a seed.
            problem: Why a setting is not to be trained, or None.
        """
        self.rejected: dict[str, str] = {}
        self.generator = np.random.default_rng(seed)
        self._space = space
        self._n_settings = n_settings(space)
        self._problem = problem
        self._tried: set[str] = set()
        self._untold: dict[str, str] = {}

    def first_of(self, proposed: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The first of some settings that was not tried yet and may be trained."""
        for values in proposed:
            if (
                self._n_settings is not None
                and len(self._tried) + len(self.rejected) >= self._n_settings
            ):
                return None
            key = setting_key(values)
            if key in self._tried or key in self.rejected:
                continue
            reason = self._problem(values)
            if reason is None:
                self._tried.add(key)
                return dict(values)
            self.rejected[key] = self._untold[key] = reason
        return None

    def take(self, values: Mapping[str, Any]) -> None:
        """Take a setting that is trained without having been proposed: it is not proposed later."""
        if has_setting(self._space, values):
            self._tried.add(setting_key(values))

    def news(self) -> dict[str, Any]:
        """What to keep for a restart, as JSON.

        That is the generator's state, and the settings rejected since the last call.
        """
        told, self._untold = self._untold, {}
        return {"generator": self.generator.bit_generator.state, "rejected": told}

    def restore(
        self, tried: Iterable[Mapping[str, Any]], news: Iterable[Mapping[str, Any]]
    ) -> None:
        """Go on where another one was.

        Args:
            tried: All settings that it proposed.
            news: All that its `news` ever gave, in order.
        """
        for values in tried:
            self.take(values)
        for new in news:
            self.rejected.update(new["rejected"])
            self.generator.bit_generator.state = new["generator"]


def nothing_to_train(rejected: Mapping[str, str]) -> SpaceError:
    """That no setting of a space is trained, and how it is mended.

    Args:
        rejected: Why each drawn setting was not proposed, by its key.
    """
    n, reasons = f"none of {len(rejected):,} drawn settings", list(rejected.values())
    others = [reason for reason in reasons if breach_of(reason) is None]
    if 2 * len(others) >= len(reasons):
        return SpaceError(
            f"{n} can be built, as {others[0]}", "widen the space, or use larger images."
        )
    return SpaceError(
        f"{n} meets the constraints; the nearest: {nearest_miss(reasons)}", remedy(reasons)
    )


def setting_key(values: Mapping[str, Any]) -> str:
    """A short name of a setting, the same for equal settings."""
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:32]


def draws(space: Space, generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Random settings, drawn evenly; `drawn` says how many."""
    return drawn(space, partial(sample, space, generator))


def drawn(space: Space, draw: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Random settings, as many as are tried before a space counts as exhausted.

    Of a small space every setting follows, also one that lies behind several conditions and is
    drawn seldom.

    Args:
        space: Where from.
        draw: Draws one setting.
    """
    for _ in range(MAX_PROPOSALS):
        yield draw()
    n = n_settings(space)
    if n is not None and n <= SMALL_SPACE:
        yield from every_setting(space)


def every_setting(space: Space) -> Iterator[dict[str, Any]]:
    """All settings of a space, the last parameter changing fastest.

    Raises:
        ConfigurationError: If a parameter has no finite number of values.
    """
    return _grow(dict(space.fixed), space.parameters)


def _grow(values: dict[str, Any], parameters: tuple[Parameter, ...]) -> Iterator[dict[str, Any]]:
    if not parameters:
        yield values
        return
    parameter, *rest = parameters
    if any(
        values.get(condition.parent) not in condition.values for condition in parameter.conditions
    ):
        yield from _grow(values, tuple(rest))
        return
    for value in _finite(parameter):
        yield from _grow(values | {parameter.name: value}, tuple(rest))


def _finite(parameter: Parameter) -> Iterable[Any]:
    values = grid_values(parameter)
    if values is None:
        raise ConfigurationError(
            f"a grid cannot go through space.{parameter.name}, which may be any number in its"
            " range",
            "list its values, give it a step, or choose another search.method.",
        )
    return values
