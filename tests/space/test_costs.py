"""What a model takes, and limits of it."""

from __future__ import annotations

import pytest

from tuner.errors import ConfigurationError
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.space.costs import COSTS, Limit, broken, keeps, parse_limits

TAKES = Footprint(n_parameters=1_000, file_bytes=2_500_000, latency_ms=4.0, multiply_adds=7)


def test_each_cost_reads_its_own_number() -> None:
    found = {name: cost.of(TAKES) for name, cost in COSTS.items()}
    assert found == {"latency_ms": 4.0, "parameters": 1_000, "file_mb": 2.5, "multiply_adds": 7}
    assert {cost.of(NOT_KNOWN) for cost in COSTS.values()} == {None}


@pytest.mark.parametrize("text", ["latency_ms<=5", " latency_ms <= 5.0 ", "latency_ms<=5e0"])
def test_limits_are_read_as_people_write_them(text: str) -> None:
    (limit,) = parse_limits([text])
    assert limit == Limit(name="latency_ms", bound=5.0)
    assert limit.words == "latency_ms <= 5"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("latency_ms<5", "expected an upper bound"),
        ("latency_ms>=5", "expected an upper bound"),
        ("latency_ms<=-5", "expected an upper bound"),
        ("latency_ms<=five", "expected an upper bound"),
        ("", "expected an upper bound"),
        ("latency_ms<=0", "expected a number above 0, and a finite one"),
        ("latency_ms<=1e999", "expected a number above 0, and a finite one"),
        ("latncy_ms<=5", "unknown limit latncy_ms; expected latency_ms,"),
        ("val_accuracy<=5", "unknown limit val_accuracy"),
    ],
)
def test_what_is_no_limit_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_limits([text])
    assert caught.value.message.startswith(f"--choose {text}: {problem}")
    assert caught.value.hint


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_limits(["latncy_ms<=5"])
    assert caught.value.hint == 'did you mean "latency_ms"?'


def test_limits_are_kept_only_by_what_is_known() -> None:
    fast, small = Limit(name="latency_ms", bound=4.0), Limit(name="parameters", bound=999)
    assert keeps([fast], TAKES)
    assert not keeps([fast, small], TAKES)
    assert not keeps([fast], NOT_KNOWN)
    assert keeps([], NOT_KNOWN)
    assert broken([fast, small], TAKES) == "parameters is 1,000, over --choose parameters <= 999"
    assert broken([fast, small], NOT_KNOWN) == ""
