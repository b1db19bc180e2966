"""Which settings no other one beats, and which one a limit chooses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.metrics.test_ranking import ACCURACY, LOSS, trial
from tuner.errors import ConfigurationError
from tuner.metrics.trade_offs import (
    Option,
    chosen,
    front,
    latency_noise,
    none_chosen,
    options,
    within,
)
from tuner.records.trial import Trial
from tuner.space.constraints import Footprint
from tuner.space.costs import Limit
from tuner.space.definition import Objective

LATENCY = ("latency_ms",)


def timed(
    number: int, score: float, latency_ms: float, last_epoch: int = 4, **changes: object
) -> Trial:
    takes = Footprint(n_parameters=100 * number, latency_ms=latency_ms, latency_spread=0.02)
    return trial(number, score, last_epoch, **{"takes": takes, **changes})


def numbers(found: Sequence[Option]) -> list[int]:
    return [int(option.trial.trial_id) for option in found]


def front_of(
    trials: Sequence[Trial], noise: float = 0.0, objective: Objective = ACCURACY
) -> list[int]:
    return numbers(front(options(trials, objective, LATENCY), objective, LATENCY, noise))


def test_what_another_beats_in_both_is_not_on_the_front() -> None:
    trials = [timed(0, 0.9, 5.0), timed(1, 0.8, 6.0), timed(2, 0.7, 2.0), timed(3, 0.6, 1.0)]
    assert front_of(trials) == [0, 2, 3]


def test_of_a_loss_the_lower_is_better() -> None:
    trials = [timed(0, 0.9, 5.0), timed(1, 0.3, 5.0), timed(2, 0.5, 2.0)]
    assert front_of(trials, objective=LOSS) == [1, 2]


def test_latencies_within_the_noise_are_level() -> None:
    trials = [timed(0, 0.9, 1.05), timed(1, 0.8, 1.0)]
    assert front_of(trials, noise=0.01) == [0, 1]
    assert front_of(trials, noise=0.1) == [0]


def test_a_row_of_neighbours_does_not_pull_down_its_far_end() -> None:
    trials = [timed(0, 0.9, 1.2), timed(1, 0.8, 1.1), timed(2, 0.7, 1.0)]
    assert front_of(trials, noise=0.12) == [0, 2]


def test_of_settings_level_in_everything_one_is_shown() -> None:
    assert front_of([timed(0, 0.9, 2.0), timed(1, 0.9, 2.0)]) == [0]
    assert front_of([timed(0, 0.9, 2.0), timed(1, 0.9, 1.9)]) == [1]


def test_no_member_of_a_front_dominates_another_and_each_other_is_beaten_by_one() -> None:
    rng = np.random.default_rng(0)
    trials = [timed(i, *np.round(rng.uniform(0.1, 1, 2), 2)) for i in range(60)]
    known = options(trials, ACCURACY, LATENCY)
    best = front(known, ACCURACY, LATENCY, 0.0)

    def beats(one: Option, other: Option) -> bool:
        return one.score >= other.score and one.costs <= other.costs

    assert not any(beats(one, other) for one in best for other in best if one is not other)
    others = [option for option in known if option not in best]
    assert all(any(beats(one, other) for one in best) for other in others)


def test_short_trainings_and_unmeasured_ones_are_no_options() -> None:
    trials = [
        timed(0, 0.99, 0.1, last_epoch=1),
        timed(1, 0.9, 5.0),
        timed(2, 0.8, 1.0, takes=Footprint(n_parameters=3)),
        trial(3, None),
    ]
    assert numbers(options(trials, ACCURACY, LATENCY)) == [1]


def test_a_setting_is_one_option_with_its_best_trial() -> None:
    short, whole = timed(0, 0.5, 2.0, last_epoch=2), timed(1, 0.9, 2.0, values={"x": 0})
    assert numbers(options([short, whole], ACCURACY, LATENCY)) == [1]


def test_the_noise_is_what_nine_of_ten_settings_keep() -> None:
    def spread(number: int, share: float) -> Trial:
        return timed(number, 0.5, 1.0, takes=Footprint(latency_ms=1.0, latency_spread=share))

    assert latency_noise([spread(i, i / 10) for i in range(11)]) == pytest.approx(0.9)
    assert latency_noise([trial(0, 0.5)]) == 0.0


def test_the_score_alone_chooses_among_those_that_keep_all_limits() -> None:
    trials = [timed(1, 0.9, 5.0), timed(2, 0.8, 2.0), timed(3, 0.7, 1.0)]
    five, few = Limit(name="latency_ms", bound=4.0), Limit(name="parameters", bound=300)
    assert chosen(trials, ACCURACY, ()) is trials[0]
    assert chosen(trials, ACCURACY, [five]) is trials[1]
    assert chosen(trials, ACCURACY, [five, few]) is trials[1]
    assert within(trials, [five, few]) == trials[1:]
    assert chosen(trials, ACCURACY, [Limit(name="file_mb", bound=100.0)]) is None, "unknown"


def test_a_limit_that_nothing_keeps_names_the_nearest() -> None:
    trials = [timed(1, 0.9, 5.0), timed(2, 0.8, 2.0)]
    limit = Limit(name="latency_ms", bound=1.0)
    assert chosen(trials, ACCURACY, [limit]) is None
    error = none_chosen(trials, ACCURACY, [limit], "do this.")
    assert isinstance(error, ConfigurationError)
    assert str(error) == (
        "--choose latency_ms <= 1: none of 2 settings is within all limits; the nearest is trial"
        " 0002 with latency_ms 2 (val_accuracy 80.00 %)\n  Fix: do this."
    )
    unknown = none_chosen([trial(0, 0.5)], ACCURACY, [limit], "do this.")
    assert unknown.message.endswith("the costs of this run's models were not measured")
