"""What a model takes beside its score: the further names of `objectives:`, limits of `--choose`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuner.errors import ConfigurationError
from tuner.names import listed, one_line
from tuner.space.constraints import Footprint
from tuner.space.documents.validation import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Something that a model takes, of which less is better.

    Attributes:
        title: For tables and axes, with its unit.
        help: What it is, in the words of the schema.
        of: What a model takes of it; None where that is not known.
        decimals: That tables show.
        is_measured: Whether two measurements of one model differ.
    """

    title: str
    help: str
    of: Callable[[Footprint], float | None]
    decimals: int = 0
    is_measured: bool = False


def _file_mb(takes: Footprint) -> float | None:
    return None if takes.file_bytes is None else takes.file_bytes / 1e6


COSTS: Mapping[str, Cost] = {
    "latency_ms": Cost(
        title="Latency, ms",
        help="milliseconds per image, predicted one at a time on the machine of the run",
        of=lambda takes: takes.latency_ms,
        decimals=2,
        is_measured=True,
    ),
    "parameters": Cost(
        title="Parameters",
        help="parameters of the model, frozen ones included",
        of=lambda takes: takes.n_parameters,
    ),
    "file_mb": Cost(
        title="File, MB",
        help="size of the saved model, in millions of bytes",
        of=_file_mb,
        decimals=2,
    ),
    "multiply_adds": Cost(
        title="Multiply-adds",
        help="multiplications with an addition that predicting one image takes",
        of=lambda takes: takes.multiply_adds,
    ),
}

_LIMIT = re.compile(r"\s*(\w+)\s*<=\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_EXAMPLE = 'write a name, "<=" and a number, such as --choose "latency_ms<=5".'


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a chosen model may take at most.

    Attributes:
        name: One of `COSTS`.
        bound: The most of it.
    """

    name: str
    bound: float

    @property
    def words(self) -> str:
        """Such as `latency_ms <= 5`."""
        return f"{self.name} <= {self.bound:,.12g}"

    def excess(self, takes: Footprint) -> float | None:
        """How many times the bound a model takes, at most 1 where it keeps it; None if unknown."""
        found = COSTS[self.name].of(takes)
        return None if found is None else found / self.bound


def keeps(limits: Iterable[Limit], takes: Footprint) -> bool:
    """Whether a model is known to keep all limits."""
    found = [limit.excess(takes) for limit in limits]
    return all(excess is not None and excess <= 1 for excess in found)


def broken(limits: Iterable[Limit], takes: Footprint) -> str:
    """The first limit that a model is known to break, in words; empty where there is none."""
    for limit in limits:
        excess = limit.excess(takes)
        if excess is not None and excess > 1:
            return f"{limit.name} is {excess * limit.bound:,.6g}, over --choose {limit.words}"
    return ""


def parse_limits(texts: Sequence[str]) -> tuple[Limit, ...]:
    """The limits that the command line states.

    Args:
        texts: Each such as `latency_ms<=5`.

    Raises:
        ConfigurationError: If one is no upper bound, or of something that is not measured.
    """
    return tuple(map(_parsed, texts))


def _parsed(text: str) -> Limit:
    where = f"--choose {one_line(text)}"
    found = _LIMIT.fullmatch(text)
    if not found:
        raise ConfigurationError(f"{where}: expected an upper bound", _EXAMPLE)
    name, bound = found[1], float(found[2])
    if name not in COSTS:
        raise ConfigurationError(
            f"{where}: unknown limit {name}; expected {listed(COSTS)}",
            did_you_mean(name, COSTS) or "the best score within the limit is used.",
        )
    if not 0 < bound < math.inf:
        raise ConfigurationError(f"{where}: expected a number above 0, and a finite one", _EXAMPLE)
    return Limit(name=name, bound=bound)
