"""Upper bounds of what a model takes, and the reasons that name them."""

from __future__ import annotations

import pytest

from tuner.space.constraints import (
    NO_CONSTRAINTS,
    Breach,
    Constraints,
    Footprint,
    breach_of,
    nearest_miss,
    remedy,
)

ALL = Constraints(parameters=5e6, latency_ms=5.0, file_mb=10.0)

BROKEN = {
    "5,000,001 parameters are over the 5,000,000 of constraints.parameters": (
        Footprint(n_parameters=5_000_001),
        Breach("parameters", 5_000_001, 5e6),
    ),
    "latency 7.2 ms is over the 5 ms of constraints.latency_ms": (
        Footprint(latency_ms=7.2),
        Breach("latency_ms", 7.2, 5.0),
    ),
    "a file of 1,234.5 MB is over the 10 MB of constraints.file_mb": (
        Footprint(file_bytes=1_234_510_000),
        Breach("file_mb", 1234.5, 10.0),
    ),
    # As many decimals as it takes.
    "latency 5.003 ms is over the 5 ms of constraints.latency_ms": (
        Footprint(latency_ms=5.003),
        Breach("latency_ms", 5.003, 5.0),
    ),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_bound_is_named_with_both_numbers(reason: str) -> None:
    footprint, breach = BROKEN[reason]
    assert ALL.broken(footprint) == reason
    assert breach_of(reason) == breach
    assert NO_CONSTRAINTS.broken(footprint) is None


def test_what_is_at_its_bound_or_not_known_breaks_nothing() -> None:
    at_bound = Footprint(n_parameters=5_000_000, file_bytes=10_000_000, latency_ms=5.0)
    assert ALL.broken(at_bound) is None
    assert ALL.broken(Footprint()) is None


def test_words_are_those_of_the_bounds_that_are_stated() -> None:
    assert ALL.words == ("parameters <= 5,000,000", "latency_ms <= 5", "file_mb <= 10")
    assert Constraints(latency_ms=2.5).words == ("latency_ms <= 2.5",)
    assert NO_CONSTRAINTS.words == ()


def test_only_some_bounds_are_known_before_training_and_only_some_after() -> None:
    kinds = {
        name: (one.has_foreseen, one.has_measured)
        for name in ("parameters", "latency_ms", "file_mb")
        for one in [Constraints(**{name: 1.0})]
    }
    assert kinds == {
        "parameters": (True, False),
        "latency_ms": (False, True),
        "file_mb": (True, True),
    }


def test_a_very_small_bound_is_read_back() -> None:
    reason = Constraints(latency_ms=1e-5).broken(Footprint(latency_ms=2.0))
    assert breach_of(reason) == Breach("latency_ms", 2.0, 1e-5)


def test_the_remedy_is_of_the_nearest_miss() -> None:
    reasons = list(BROKEN)[:2]
    assert nearest_miss(reasons) == reasons[0]
    assert remedy(reasons).startswith("raise constraints.parameters, ")


def test_other_reasons_speak_of_no_constraint() -> None:
    assert breach_of("conv_blocks is 4, but 4 poolings by 2 would shrink 8x8 images") is None
    assert breach_of(None) is None
    assert nearest_miss(["no such layer"]) is None


def test_nearest_miss_is_the_one_that_is_over_by_the_smallest_factor() -> None:
    reasons = [
        "9,000,000 parameters are over the 5,000,000 of constraints.parameters",
        "no such layer",
        "latency 6.0 ms is over the 5 ms of constraints.latency_ms",
        "5,900,000,000 parameters are over the 5,000,000 of constraints.parameters",
    ]
    assert nearest_miss(reasons) == reasons[2]
