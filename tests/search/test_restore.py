"""A search that is cut off and restored goes on as if nothing had happened."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from tests.search.fakes import WIDE, by_x, ended, make_oracle, settings
from tests.search.test_oracle import FIVE
from tests.search.test_proposals import HILL, NESTED
from tuner.records.trial import Trial
from tuner.search.oracle import SearchOracle
from tuner.space.definition import Space

Event = tuple[Literal["started", "ended"], Trial]


def score(trial: Trial) -> float | None:
    """Made up, the same for the same trial; every ninth fails."""
    return (
        None
        if int(trial.trial_id) % 9 == 4
        else sum(len(str(value)) for value in trial.values.values())
    )


def oracle_of(space: Space, method: str) -> SearchOracle:
    def problem(values: Any) -> str | None:
        return (
            "x is in the middle"
            if 0.4 < values.get("x", 0) < 0.5 or values.get("units") == 4
            else None
        )

    return make_oracle(space, search=settings(9, 3, method=method), seed=0, problem=problem)


def log_of(
    oracle: SearchOracle, n_workers: int, running: list[Trial]
) -> tuple[list[Event], list[dict[str, Any]]]:
    """Everything that happens from here on, and the state kept with each start; the oldest trial ends first."""
    log: list[Event] = []
    states: list[dict[str, Any]] = []
    while True:
        while len(running) < n_workers and (trial := oracle.next_trial()):
            running.append(trial)
            log.append(("started", trial))
            states.append(json.loads(json.dumps(oracle.generator_state())))
        if not running:
            return log, states
        trial = ended(running.pop(0), score)
        oracle.end(trial)
        log.append(("ended", trial))


SEARCHES = [
    (WIDE, "hyperband"), (FIVE, "hyperband"), (WIDE, "asha"), (FIVE, "asha"), (WIDE, "random"), (NESTED, "random"),
    (NESTED, "grid"),
]  # fmt: skip


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize(
    ("space", "method"), SEARCHES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_rest_is_the_same_after_a_cut_anywhere(
    space: Space, method: str, n_workers: int
) -> None:
    whole, states = log_of(first := oracle_of(space, method), n_workers, [])
    for cut in range(len(whole) + 1):
        past = whole[:cut]
        n_started = sum(event == "started" for event, _ in past)
        oracle = oracle_of(space, method)
        oracle.restore(past, states[:n_started])
        assert oracle.n_rejected == sum(len(state["rejected"]) for state in states[:n_started])
        if n_started:
            assert oracle.generator_state() == states[n_started - 1] | {"rejected": {}}
        assert log_of(oracle, n_workers, list(oracle.board.running.values()))[0] == whole[cut:]
        assert oracle.n_rejected == first.n_rejected
        assert oracle.rejected == first.rejected


def test_settings_that_had_run_out_stay_so() -> None:
    def oracle() -> SearchOracle:
        # One draw in two thousand will do, so that 1,000 draws in a row find one now and then.
        return make_oracle(
            seed=0, problem=lambda values: "too large" if values["x"] > 1 / 2000 else None
        )

    whole, states = log_of(oracle(), 1, [])
    assert states[-1]["is_exhausted"]
    for cut in range(len(whole) + 1):
        restored = oracle()
        restored.restore(whole[:cut], states[: sum(event == "started" for event, _ in whole[:cut])])
        assert log_of(restored, 1, list(restored.board.running.values()))[0] == whole[cut:]


def test_bayesian_goes_on_with_the_same_proposals() -> None:
    def oracle() -> SearchOracle:
        return make_oracle(HILL, search=settings(9, 3, method="bayesian", max_trials=8), seed=0)

    whole, states = log_of(oracle(), 2, [])
    restored = oracle()
    restored.restore(whole[:11], states[: sum(event == "started" for event, _ in whole[:11])])
    assert log_of(restored, 2, list(restored.board.running.values()))[0] == whole[11:]


def test_states_stay_short_however_many_trials_there_are() -> None:
    _, states = log_of(
        make_oracle(search=settings(27, 3), problem=lambda v: "no" if v["x"] > 0.3 else None), 1, []
    )
    assert (
        max(len(state["rejected"]) for state in states)
        < sum(len(state["rejected"]) for state in states) / 4
    )


def test_running_trials_are_known_after_a_restart() -> None:
    whole, states = log_of(oracle_of(WIDE, "asha"), 3, [])
    oracle = oracle_of(WIDE, "asha")
    oracle.restore(whole[:5], states[:4])
    assert [t.trial_id for t in oracle.board.running.values()] == ["0001", "0002", "0003"]
    oracle.end(ended(oracle.board.running["0002"], by_x))
    assert oracle.board.trials["0002"].status == "completed"
