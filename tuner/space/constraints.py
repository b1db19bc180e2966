"""What a model must stay under to be used: upper bounds, and what a model is held against them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple

_BROKEN = re.compile(
    r".*?(?P<value>\d\S*) (?P<unit>\S+) (?:is|are) over the (?P<bound>\d\S*).*"
    r" of constraints\.(?P<name>\w+)"
)
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a model takes, as far as it is known; None where it is not.

    Attributes:
        n_parameters: Parameters, frozen ones included.
        file_bytes: Size of the saved model; before it is saved, of its weights alone.
        latency_ms: Milliseconds per image, predicted one at a time; the least that was measured.
        latency_spread: By which share of it another measurement was above it.
        multiply_adds: Multiplications with an addition that predicting one image takes.
    """

    n_parameters: int | None = None
    file_bytes: int | None = None
    latency_ms: float | None = None
    latency_spread: float | None = None
    multiply_adds: int | None = None


NOT_KNOWN = Footprint()


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Upper bounds of what a model takes; None sets none.

    Attributes:
        parameters: Parameters, frozen ones included.
        latency_ms: Milliseconds per image on the machine of the run.
        file_mb: Size of the saved model, in 10^6 bytes.
    """

    parameters: float | None = None
    latency_ms: float | None = None
    file_mb: float | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Each bound as people read it, such as `parameters <= 5,000,000`."""
        stated = ((field.name, getattr(self, field.name)) for field in fields(self))
        return tuple(f"{name} <= {bound:,.12g}" for name, bound in stated if bound is not None)

    @property
    def has_foreseen(self) -> bool:
        """Whether a bound can refuse a setting before it is trained."""
        return self.parameters is not None or self.file_mb is not None

    @property
    def has_measured(self) -> bool:
        """Whether a bound is held against what only a trained model shows."""
        return self.latency_ms is not None or self.file_mb is not None

    def broken(self, found: Footprint) -> str | None:
        """Why a model must not be used, in one line; None where it keeps all bounds."""
        return next(self._broken(found), None)

    def _broken(self, found: Footprint) -> Iterator[str]:
        n, size, latency = found.n_parameters, found.file_bytes, found.latency_ms
        if n is not None and self.parameters is not None and n > self.parameters:
            yield f"{n:,} parameters are over the {self.parameters:,.12g} of constraints.parameters"
        if size is not None and self.file_mb is not None and size / 1e6 > self.file_mb:
            shown = _above(size / 1e6, self.file_mb)
            yield f"a file of {shown} MB is over the {self.file_mb:,.12g} MB of constraints.file_mb"
        if latency is not None and self.latency_ms is not None and latency > self.latency_ms:
            shown, bound = _above(latency, self.latency_ms), f"{self.latency_ms:,.12g}"
            yield f"latency {shown} ms is over the {bound} ms of constraints.latency_ms"


NO_CONSTRAINTS = Constraints()


class Breach(NamedTuple):
    """What a reason of `Constraints.broken` says.

    Attributes:
        name: The constraint's.
        value: What the model takes.
        bound: What it may take.
    """

    name: str
    value: float
    bound: float


def breach_of(reason: str | None) -> Breach | None:
    """The constraint that a reason speaks of; None for reasons of other kinds.

    Reasons are kept as text, in a run's log and in its tables.
    """
    found = _BROKEN.fullmatch(reason or "")
    return found and Breach(found["name"], _number(found["value"]), _number(found["bound"]))


def nearest_miss(reasons: Iterable[str]) -> str | None:
    """Of reasons the one that breaks its constraint by the least; None where none breaks any."""
    found = [
        (breach.value / breach.bound, reason) for reason in reasons if (breach := breach_of(reason))
    ]
    return min(found)[1] if found else None


def remedy(reasons: Iterable[str]) -> str:
    """How to keep the constraint that is broken by the least; some reason must break one."""
    breach = breach_of(nearest_miss(reasons))
    assert breach is not None
    return f"raise constraints.{breach.name}, or allow smaller models in the space."


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _above(value: float, bound: float) -> str:
    """A number with as many decimals as show that it is above the bound; one at least."""
    texts = [f"{value:,.{decimals}f}" for decimals in range(1, _MOST_DECIMALS + 1)]
    return next((text for text in texts if _number(text) > bound), texts[-1])
