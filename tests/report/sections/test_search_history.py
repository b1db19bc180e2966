"""Best score so far, and the table of trials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.report.fixtures import page, results, trials
from tuner.report.sections import search_history
from tuner.space.definition import Parameter


def test_best_so_far_ignores_failed_trials_and_scores_that_are_not_finite() -> None:
    first, *_ = trials(1)
    scores = (0.5, float("nan"), 0.4, 0.7, None)
    some = [
        replace(first, score=s, error="boom" if s is None else None, duration_s=60.0)
        for s in scores
    ]
    points = search_history.best_so_far(some, maximise=True)
    assert [p.best for p in points] == [0.5, 0.5, 0.5, 0.7, 0.7]
    assert [p.score for p in points] == [0.5, None, 0.4, 0.7, None]
    assert [p.minutes for p in points] == [1, 2, 3, 4, 5]
    assert [p.best for p in search_history.best_so_far(some, maximise=False)] == [
        0.5,
        0.5,
        0.4,
        0.4,
        0.4,
    ]


def test_stopped_trial_keeps_its_score_and_may_be_the_best() -> None:
    first, *_ = trials(1)
    some = [
        replace(first, score=0.4),
        replace(first, trial_id="0001", score=0.6, is_stopped=True),
        replace(first, trial_id="0002", score=0.5),
    ]
    run = results()
    found = search_history.compute(
        replace(run, search=replace(run.search, best_trial_id="0001")), some
    )
    assert (found.n_completed, found.n_stopped, found.n_failed, found.best_number) == (2, 1, 0, 2)
    assert [p.best for p in found.points] == [0.4, 0.6, 0.6]


def test_history_finds_the_best_trial_and_its_counts_add_up() -> None:
    found = search_history.compute(results(), trials())
    assert trials()[(found.best_number or 0) - 1].trial_id == results().search.best_trial_id
    assert (found.n_completed, found.n_stopped, found.n_failed, found.n_unfinished) == (20, 0, 3, 0)


def test_a_long_search_keeps_its_best_trials_in_the_table() -> None:
    many = trials(1000)
    found = search_history.compute(results(), many)
    assert len(found.rows) == search_history.MAX_ROWS
    worst_kept = min(t.score or 0 for t in found.rows)
    left_out = [t for t in many if t not in found.rows and t.score is not None]
    assert all((t.score or 0) <= worst_kept for t in left_out)
    assert len(found.points) == 1000
    assert len(found.drawn) == search_history.MAX_POINTS


def test_a_start_from_outside_of_the_families_names_its_model_in_their_column() -> None:
    first, *_ = trials(1)
    some = (
        replace(first, model="sigmoid_cnn", origin="baseline", values={}),
        replace(first, trial_id="0001", values={"model": "cnn"}),
    )
    run = results()
    family = Parameter(name="model", kind="choice", choices=("cnn", "efficientnet_lite0"))
    search = replace(run.search, parameters=(family,), families=family.choices)
    for families, shown in ((family.choices, 1), ((), 0)):
        found = page(replace(run, search=replace(search, families=families)), some)
        assert found.count("<td><bdi>sigmoid_cnn</bdi></td>") == shown
        assert found.count("<td><bdi>cnn</bdi></td>") == 1


def test_hyperparameters_of_one_value_are_said_once_and_blocks_stand_by_number() -> None:
    run, found = results(), trials()
    found = [replace(t, values={**t.values, "f_1": i, "f_0": i}) for i, t in enumerate(found)]
    names = ("optimizer", "f_1", "dropout", "f_0")
    parameters = tuple(Parameter(name=name, kind="float") for name in names)
    run = replace(run, search=replace(run.search, parameters=parameters))
    history = search_history.compute(run, found)
    assert history.same == (("optimizer", "sgd"),)
    assert history.parameters == ("f_0", "f_1", "dropout")
    assert search_history.compute(run, found[:1]).same == ()


def test_a_momentum_that_the_optimizer_does_not_have_is_no_value() -> None:
    first, *_ = trials(1)
    values = ({"optimizer": "sgd", "momentum": 0.87}, {"optimizer": "adam", "momentum": 0.98})
    some = [replace(first, trial_id=f"{i}", values=v) for i, v in enumerate(values)]
    run = results()
    parameters = tuple(Parameter(name=name, kind="float") for name in ("optimizer", "momentum"))
    source = page(replace(run, search=replace(run.search, parameters=parameters)), some)
    table = source[source.index('aria-label="Trials"') :]
    table = table[: table.index("</table>")]
    assert ("<td>0.87</td>" in table, "<td>0.98</td>" in table) == (True, False)


def idle(winner: dict[str, Any], *some: dict[str, Any], **search: Any) -> list[list[str]]:
    """Names of values without effect, of a trial for each of `some`.

    `winner` has its values, complete. What `some` have was searched.
    """
    first, run = trials(1)[0], results()
    names = dict.fromkeys(name for values in some for name in values)
    parameters = tuple(Parameter(name=name, kind="float") for name in names)
    search = {"parameters": parameters, "best_trial_id": "best", "best_values": winner, **search}
    rows = [replace(first, trial_id=f"{i}", values=values) for i, values in enumerate(some)]
    found = search_history.compute(replace(run, search=replace(run.search, **search)), rows)
    return [sorted(found.idle[row.trial_id]) for row in rows]


STAGES = ["fine_tune_learning_rate", "head_epochs", "warmup_epochs"]


def test_what_the_space_fixes_decides_on_the_effect_of_searched_values() -> None:
    tried = {"momentum": 0.8}
    assert idle({"optimizer": "sgd", "momentum": 0.9}, tried) == [[]]
    assert idle({"optimizer": "adam", "momentum": 0.9}, tried) == [["momentum"]]
    staged: dict[str, Any] = dict.fromkeys(STAGES, 1)
    for n_blocks, unread in ((2, []), (0, STAGES)):
        winner = {**staged, "weights": "imagenet", "unfreeze_blocks": n_blocks}
        assert idle(winner, staged, model="efficientnet_b0") == [unread]


def test_of_a_setting_from_elsewhere_only_its_own_values_decide() -> None:
    winner = {"optimizer": "adam", "momentum": 0.9}
    some = ({"momentum": 0.8}, {"momentum": 0.8, "optimizer": "adamw"})
    assert idle(winner, *some, best_origin="earlier run") == [[], ["momentum"]]


def test_each_family_has_its_own_values_without_effect() -> None:
    staged = {**dict.fromkeys(STAGES, 1), "unfreeze_blocks": 0, "optimizer": "sgd"}
    some = (
        {"model": "cnn", **staged},
        {"model": "efficientnet_lite0", **staged},
        {"model": "efficientnet_lite0", **staged, "unfreeze_blocks": 2},
    )
    families = ("cnn", "efficientnet_lite0")
    for best_family in families:
        assert idle(
            {}, *some, families=families, best_family=best_family, best_model=best_family
        ) == [[], STAGES, []]


def test_what_the_winners_family_fixes_holds_for_no_other_family() -> None:
    some = ({"model": "efficientnet_lite0", "momentum": 0.8}, {"model": "cnn", "momentum": 0.8})
    assert idle(
        {"optimizer": "adam", "momentum": 0.9, "filters": 8},
        *some,
        families=("cnn", "efficientnet_lite0"),
        best_family="cnn",
    ) == [[], ["momentum"]]
