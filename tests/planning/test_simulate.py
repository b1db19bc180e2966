"""Runs on clocks: as many trials and epochs as the real ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.planning.costs import contender, cost
from tests.search.fakes import settings, total
from tuner.planning.measure import Cost
from tuner.planning.simulate import (
    Crew,
    SimulatedSearch,
    n_epochs,
    simulate_retraining,
    simulate_search,
)
from tuner.space.search_settings import SearchSettings


def crew_of(n_workers: int = 1, *, keeps_models: bool = True) -> Crew:
    return Crew(n_workers, keeps_models=keeps_models)


def searched(
    search: SearchSettings, crew: Crew, *costs: Cost, n_settings: int | None = None, seed: int = 0
) -> SimulatedSearch:
    return simulate_search(
        search, costs or (cost(),), 1, n_settings, crew, np.random.default_rng(seed)
    )


def sizes(search: SimulatedSearch) -> list[list[tuple[int, int, int]]]:
    return [
        [(r.n_trials, r.first_epoch, r.last_epoch) for r in bracket] for bracket in search.brackets
    ]


def test_search_trains_the_rungs_that_hyperband_plans() -> None:
    crew = crew_of()
    found = searched(settings(4, 4), crew)
    assert sizes(found) == [[(4, 1, 1), (1, 2, 4)], [(2, 1, 4)]]
    # One worker has no idle ends: as many seconds as epochs.
    assert crew.now_s == total(settings(4, 4))[1] == 15


def test_second_worker_shortens_a_search_by_less_than_half() -> None:
    crew = crew_of(2)
    searched(settings(9, 3), crew)
    assert 75 / 2 <= crew.now_s < 75


def test_every_new_setting_is_traced_and_a_promotion_only_where_models_are_not_kept() -> None:
    # Six settings, one promotion, though only one setting was measured.
    for keeps_models, n_traced in ((True, 6), (False, 7)):
        crew = crew_of(keeps_models=keeps_models)
        searched(settings(4, 4), crew, cost(trace_s=10.0))
        assert crew.now_s == 15 + n_traced * 10


def test_building_is_paid_in_every_training() -> None:
    crew = crew_of()
    searched(settings(4, 4), crew, cost(build_s=1.0))
    assert crew.now_s == 15 + 7


def test_space_that_runs_out_of_settings_makes_a_shorter_search() -> None:
    found = searched(settings(4, 4), crew_of(), n_settings=2)
    assert [rungs[0][0] for rungs in sizes(found)] == [2]


@pytest.mark.parametrize("method", ["hyperband", "asha", "random", "bayesian", "grid"])
def test_search_never_starts_more_trials_than_it_may(method: str) -> None:
    found = searched(settings(9, 3, method=method, max_trials=5), crew_of(2), n_settings=50)
    assert sum(rung.n_trials for bracket in found.brackets for rung in bracket) == 5


def test_grid_tries_every_setting_once() -> None:
    found = searched(settings(3, 3, method="grid", max_total_epochs=21), crew_of(2), n_settings=7)
    assert sizes(found) == [[(7, 1, 3)]]


def test_checkpoints_on_disk_are_those_that_others_may_go_on_from() -> None:
    assert searched(settings(3, 3, method="random"), crew_of(2)).n_checkpoints == 2
    # The bracket's one that may be promoted, and the one that runs.
    assert searched(settings(4, 4), crew_of()).n_checkpoints == 2


def test_winner_is_one_of_the_settings_and_chance_says_which() -> None:
    costs = [cost(str(n)) for n in range(6)]
    winners = {
        searched(settings(4, 4), crew_of(), *costs, seed=seed).cost.key for seed in range(30)
    }
    assert winners <= {str(n) for n in range(6)}
    assert len(winners) > 1


def test_retrainings_share_the_workers() -> None:
    crew = crew_of(2)
    simulate_retraining(
        [(contender(), "a", cost(image_s=2.0))], 1, 3, crew, np.random.default_rng(0)
    )
    assert crew.now_s == 20.0


def test_retraining_goes_seed_by_seed() -> None:
    crew, begun = crew_of(), []
    begin = crew.begin
    crew.begin = lambda task_id, *rest: (begun.append(task_id), begin(task_id, *rest))  # type: ignore[method-assign]
    pairs = [(contender(name), name, cost()) for name in ("tuned", "baseline")]
    simulate_retraining(pairs, 1, 2, crew, np.random.default_rng(0))
    assert begun == ["tuned", "baseline", "tuned", "baseline"]


def test_winners_model_is_known_to_the_worker_that_searched() -> None:
    crew = crew_of()
    found = searched(settings(4, 4), crew, cost(trace_s=10.0))
    before_s = crew.now_s
    simulate_retraining(
        [(contender(), found.winner, found.cost)], 1, 1, crew, np.random.default_rng(0)
    )
    assert crew.now_s - before_s == 5.0


@pytest.mark.parametrize(
    ("rule", "possible"),
    [
        ({"patience": None}, {5}),
        ({"patience": 2}, {3, 4, 5}),
        ({"patience": 9}, {5}),
        ({"patience": None, "stop_metric": "accuracy", "stop_value": 0.9}, {1, 2, 3, 4, 5}),
    ],
    ids=str,
)
def test_retraining_may_end_where_its_stopping_rule_allows_it(
    rule: dict[str, object], possible: set[int]
) -> None:
    rng = np.random.default_rng(0)
    assert {n_epochs(contender(**rule), rng) for _ in range(80)} == possible
