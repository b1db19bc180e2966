"""A search that is cut off and restored goes on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.search.fakes import WIDE, by_x, ended, make_study, settings, setup_of
from tests.search.test_proposals import HILL, NESTED
from tests.search.test_study import FIVE
from tuner.records.trial import Trial
from tuner.search.board import Board
from tuner.search.methods.hyperband import Hyperband
from tuner.search.methods.method import Setup, Step, TrialEvent
from tuner.search.proposals import Proposals
from tuner.search.study import Study
from tuner.space.definition import Space


def score(trial: Trial) -> float | None:
    """Made up, the same for the same trial; every ninth fails."""
    return (
        None
        if int(trial.trial_id) % 9 == 4
        else sum(len(str(value)) for value in trial.values.values())
    )


def oracle_of(space: Space, method: str) -> Study:
    def problem(values: Any) -> str | None:
        return (
            "x is in the middle"
            if 0.4 < values.get("x", 0) < 0.5 or values.get("units") == 4
            else None
        )

    return make_study(space, search=settings(9, 3, method=method), seed=0, problem=problem)


def log_of(
    study: Study, n_workers: int, running: list[Trial]
) -> tuple[list[TrialEvent], list[dict[str, Any]]]:
    """All that happens from here on, and the state of each start; the oldest trial ends first."""
    log: list[TrialEvent] = []
    states: list[dict[str, Any]] = []
    while True:
        while len(running) < n_workers and (trial := study.next_trial()):
            running.append(trial)
            log.append(("started", trial))
            states.append(json.loads(json.dumps(study.state())))
        if not running:
            return log, states
        trial = ended(running.pop(0), score)
        study.end(trial)
        log.append(("ended", trial))


SEARCHES = [
    (WIDE, "hyperband"), (FIVE, "hyperband"), (WIDE, "asha"), (FIVE, "asha"), (WIDE, "random"),
    (NESTED, "random"), (NESTED, "grid"), (FIVE, "model_hyperband"), (WIDE, "model_hyperband"),
    (NESTED, "model_hyperband"),
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
        study = oracle_of(space, method)
        study.restore(past, states[:n_started])
        assert len(study.rejected) == sum(len(state["rejected"]) for state in states[:n_started])
        if n_started:
            assert study.state() == states[n_started - 1] | {"rejected": {}}
        assert log_of(study, n_workers, list(study.board.running.values()))[0] == whole[cut:]
        assert study.rejected == first.rejected


def test_settings_that_had_run_out_stay_so() -> None:
    def study() -> Study:
        # One draw in two thousand will do, so that 1,000 draws in a row find one now and then.
        return make_study(
            seed=0, problem=lambda values: "too large" if values["x"] > 1 / 2000 else None
        )

    whole, states = log_of(study(), 1, [])
    assert states[-1]["is_exhausted"]
    for cut in range(len(whole) + 1):
        restored = study()
        restored.restore(whole[:cut], states[: sum(event == "started" for event, _ in whole[:cut])])
        assert log_of(restored, 1, list(restored.board.running.values()))[0] == whole[cut:]


def test_bayesian_goes_on_with_the_same_proposals() -> None:
    def study() -> Study:
        return make_study(HILL, search=settings(9, 3, method="bayesian", max_trials=8), seed=0)

    whole, states = log_of(study(), 2, [])
    restored = study()
    restored.restore(whole[:11], states[: sum(event == "started" for event, _ in whole[:11])])
    assert log_of(restored, 2, list(restored.board.running.values()))[0] == whole[11:]


def test_states_stay_short_however_many_trials_there_are() -> None:
    _, states = log_of(
        make_study(search=settings(27, 3), problem=lambda v: "no" if v["x"] > 0.3 else None), 1, []
    )
    assert (
        max(len(state["rejected"]) for state in states)
        < sum(len(state["rejected"]) for state in states) / 4
    )


def test_running_trials_are_known_after_a_restart() -> None:
    whole, states = log_of(oracle_of(WIDE, "asha"), 3, [])
    study = oracle_of(WIDE, "asha")
    study.restore(whole[:5], states[:4])
    assert [t.trial_id for t in study.board.running.values()] == ["0001", "0002", "0003"]
    study.end(ended(study.board.running["0002"], by_x))
    assert study.board.trials["0002"].status == "completed"


class Momentum(Hyperband):
    """Proposes from a number of its own that grows step by step, as a fitted model would."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.place = 0.1

    @property
    def proposer(self) -> Momentum:
        return self

    def propose(self, board: Board, step: Step) -> Iterator[dict[str, Any]]:
        self.place = (self.place * 1.7 + len(board.ended) / 100) % 1
        yield {"x": self.place, "conv_blocks": 1}

    def state(self) -> dict[str, Any]:
        return {"place": self.place}

    def restore(self, history: Sequence[TrialEvent], states: Sequence[Mapping[str, Any]]) -> None:
        self.place = states[-1]["place"] if states else 0.1


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_method_with_a_state_of_its_own_goes_on_with_the_same_proposals(n_workers: int) -> None:
    def study() -> Study:
        setup = setup_of(settings(9, 3))
        return Study(setup, Momentum(setup), Proposals(WIDE, 0, lambda values: None))

    whole, states = log_of(study(), n_workers, [])
    for cut in range(len(whole) + 1):
        restored = study()
        restored.restore(whole[:cut], states[: sum(event == "started" for event, _ in whole[:cut])])
        assert log_of(restored, n_workers, list(restored.board.running.values()))[0] == whole[cut:]
