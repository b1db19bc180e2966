"""Measured costs, held against the settings and contenders of a run."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.errors import SearchError
from tuner.models.backbones.stages import trained_part
from tuner.planning.measure import Candidate, Cost, Measured, model_key
from tuner.records.contender import Contender


def costs_of_settings(settings: Sequence[Candidate], measured: Measured) -> list[Cost]:
    """What the settings take that could be measured.

    Raises:
        SearchError: If none could be.
    """
    found = [measured.costs[setting.key] for setting in settings if setting.key in measured.costs]
    if not found:
        name, reason = next(iter(measured.failures.items()))
        raise SearchError(
            f"no setting could be trained; {name}: {reason}", "fix the space or the model."
        )
    return found


def with_costs(
    contenders: Sequence[Contender], measured: Measured
) -> list[tuple[Contender, Cost | None]]:
    """The winner, whose cost is not known yet, and those opponents that could be measured."""
    pairs = [
        (
            other,
            measured.costs.get(model_key(trained_part(other.model, other.values), other.values)),
        )
        for other in contenders[1:]
    ]
    return [
        *((tuned, None) for tuned in contenders[:1]),
        *((other, cost) for other, cost in pairs if cost),
    ]
