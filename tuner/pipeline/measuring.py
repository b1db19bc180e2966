"""How much of a run is measured before it is planned or sized, and for how long."""

from __future__ import annotations

from tuner.planning.candidates import MAX_MEASURED

# In less time nothing can be measured that would help.
SHORTEST_S = 60.0

# A backbone takes minutes to build, trace and measure. In less time none is compared, and fewer
# settings are measured.
_SHORT_S = 600.0
FEW_MEASURED = 4

# Of the time that is left. On a busy machine measuring must not use up what it measures for.
_SHARE = 1 / 3

# Of a plan; more would hardly change its forecast.
_PLAN_S = 300.0


def measuring_s(left_s: float | None) -> float:
    """Seconds after which no further model is measured.

    Args:
        left_s: Seconds that are left of a run's time budget; None for a plan, which measures as
            much with a budget as without.
    """
    return _PLAN_S if left_s is None else _SHARE * left_s


def most_settings(budget_s: float) -> int:
    """Settings that a run with a time budget measures at most."""
    return FEW_MEASURED if budget_s < _SHORT_S else MAX_MEASURED


def compares_backbones(budget_s: float) -> bool:
    """Whether a run with a time budget measures backbones and compares those that fit."""
    return budget_s >= _SHORT_S
