"""Next steps: each follows from a fact, and each command is one that the tool takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.differences import difference
from tests.report.fixtures import recommending, results, search_only, trials
from tests.report.sections.next_steps.unremarkable import (
    options,
    parsed,
    quiet,
    section,
    steps,
    the_step,
)
from tuner.pipeline.presets import PRESETS
from tuner.records.results import Results
from tuner.report.sections.next_steps.rules import MAX_STEPS
from tuner.report.sections.next_steps.search_steps import THOROUGH_EPOCHS


def test_no_fact_no_step() -> None:
    assert steps(quiet()) == ()
    assert "This run suggests no next step." in section(quiet())


def test_a_better_winner_and_nothing_else_is_trained_for_production() -> None:
    step = the_step(replace(quiet(), differences=(difference("better", 0.05),)))
    assert "+5.0 points" in step.fact
    assert options(step.code)["source"] == Path("reports/faces/20250102-030405-ab12cd34")
    assert options(step.code)["full_data"]


@pytest.mark.parametrize(("use", "titles"), [("tuned", []), ("baseline", ["Baseline"])])
def test_what_is_trained_for_production_is_the_recommended_model(
    use: str, titles: list[str]
) -> None:
    run = replace(quiet(), differences=(difference("better", 0.05),))
    step = the_step(recommending(run, use))
    assert [title for title, _ in step.items] == titles
    assert ("the recommended model" in step.fact) is (titles != [])
    assert options(step.code)["model"] is None


def test_an_unfinished_run_only_goes_on() -> None:
    run = results(n_seeds=1)
    step = the_step(
        replace(
            run, run=replace(run.run, state="searching"), search=replace(run.search, n_trials=7)
        )
    )
    assert "7 of 23 planned trials" in step.fact
    assert options(step.code)["resume"]


def test_there_are_at_most_three_and_what_matters_most_comes_first() -> None:
    run = results(n_seeds=1, n_classes=2)
    run = replace(
        run,
        run=replace(run.run, command="python -m tuner run faces --limit 100"),
        data=replace(run.data, test_counts=(590, 10), limit=100),
    )
    found = steps(run, trials())
    assert len(found) == MAX_STEPS
    assert [step.action.split()[0] for step in found] == ["Search", "Run", "Run"]


def test_a_winner_at_the_constant_guess_leads_to_a_longer_search(space: Path) -> None:
    run = quiet()
    step = the_step(replace(run, data=replace(run.data, test_counts=(590, 10, 0, 0, 0, 0, 0))))
    assert "98.3 %" in step.fact
    assert options(step.code)["preset"] == "thorough"


def test_a_longer_search_keeps_nothing_that_would_hold_it_short() -> None:
    command = (
        "python -m tuner run faces --max-epochs 3 --set=search.factor=2 --time-budget 9m --set"
        " space.dropout=0.1"
    )
    run = quiet()
    run = replace(
        run, run=replace(run.run, command=command), differences=(difference("worse", -0.01),)
    )
    assert (
        the_step(run).code == "python -m tuner run faces --set space.dropout=0.1 --preset thorough"
    )
    # What made it longer than the preset would stays.
    run = replace(run, search=replace(run.search, max_epochs=THOROUGH_EPOCHS))
    assert the_step(run).code == f"{command} --preset thorough"
    assert PRESETS["thorough"].search.max_epochs == THOROUGH_EPOCHS


def test_where_classes_are_rare_it_leads_to_another_objective_too(space: Path) -> None:
    run = quiet()
    data = replace(
        run.data,
        test_counts=(590, 10, 0, 0, 0, 0, 0),
        train_counts=(700, 100, 100, 100, 100, 100, 100),
    )
    found = steps(replace(run, data=data))
    assert [step.action.split(",")[0] for step in found] == [
        "Search and train longer",
        "Search for macro F1",
    ]
    assert parsed(found[1], space).objective.name == "val_macro_f1"


@pytest.mark.parametrize(
    ("reason", "option", "value"),
    [
        ("ResourceExhausted: out of memory", "workers", 1),
        ("no step in 600 s", "trial_timeout_s", 1800.0),
        ("ValueError: something else", "retries", 1),
    ],
)
def test_failed_trials_are_mended_by_their_commonest_reason(
    reason: str, option: str, value: float
) -> None:
    run = quiet()
    failed = tuple(replace(t, error=reason) if t.error else t for t in trials())
    step = the_step(replace(run, search=replace(run.search, n_failed=3)), failed)
    assert "3 of 23 trials failed" in step.fact
    assert step.items == ((reason, "(3 trials)"),)
    assert options(step.code)[option] == value


def test_one_seed_asks_for_more_in_the_way_that_the_preset_obeys(space: Path) -> None:
    run = quiet(n_seeds=1)
    assert parsed(the_step(run), space).retrain.seeds == 3
    quick = replace(run.run, preset="quick", command="python -m tuner run faces --preset quick")
    step = the_step(replace(run, run=quick))
    assert step.code == "python -m tuner run faces --preset standard"
    assert step.fact.endswith("a new run: it searches again, with the standard preset.")


def test_limits_in_force_are_lifted() -> None:
    run = quiet()
    command = "python -m tuner run faces --limit 500 --time-budget=30m --seed 3"
    run = replace(
        run,
        run=replace(run.run, command=command),
        data=replace(run.data, limit=500),
        search=replace(run.search, n_stopped=4),
    )
    step = the_step(run)
    assert step.code == "python -m tuner run faces --seed 3"
    assert "500 images" in step.fact
    assert "4 of 23 trials" in step.fact


def test_search_only_is_followed_by_the_comparison() -> None:
    run = replace(search_only(), search=quiet().search)
    run = replace(run, run=replace(run.run, command="python -m tuner run faces --search-only"))
    assert the_step(run).code == "python -m tuner run faces"


def test_a_cut_off_retraining_gets_twice_the_epochs(space: Path) -> None:
    run = quiet()
    runs = tuple(replace(one, best_epoch=12) for one in run.models[0].runs)
    winner = replace(run.models[0], runs=runs, max_epochs=12)
    step = the_step(replace(run, models=(winner, *run.models[1:])))
    assert "epoch 12" in step.fact
    assert parsed(step, space).retrain.epochs == 24


def overfitting() -> Results:
    """Training accuracy far above validation accuracy, on images that are not changed."""
    run = quiet()
    winner = run.models[0]
    kept = tuple(
        replace(
            one,
            epochs=tuple(
                replace(e, metrics={"accuracy": 0.99, "val_accuracy": 0.8}) for e in one.epochs
            ),
        )
        for one in winner.runs
    )
    return replace(run, models=(replace(winner, runs=kept, values={}), *run.models[1:]))


def test_overfitting_is_met_by_what_was_not_searched_yet(space: Path) -> None:
    run = overfitting()
    step = the_step(run)
    assert "19.0 points" in step.fact
    assert "shift" in [p.name for p in parsed(step, space).space.parameters]
    changed = replace(run.models[0], values={"flip": True})
    assert steps(replace(run, models=(changed, *run.models[1:]))) == ()


def test_the_page_shows_fact_and_command_of_each_step() -> None:
    run = results(n_seeds=1)
    source = section(run)
    for number, step in enumerate(steps(run), 1):
        assert f'<h3 id="step-{number}">{step.action}</h3>' in source
        assert f'aria-labelledby="step-{number}"' in source
    assert source.count("<pre") == len(steps(run)) > 0


@pytest.mark.parametrize("family", ["efficientnet_lite0", "cnn"])
def test_a_backbone_that_won_among_several_families_may_be_searched_alone(family: str) -> None:
    run = quiet()
    families = ("cnn", "efficientnet_lite0")
    run = replace(run, search=replace(run.search, families=families, best_family=family))
    if family == "cnn":
        assert steps(run) == ()
        return
    step = the_step(run)
    assert step.action == "Search the winning family alone"
    assert step.fact.startswith("efficientnet_lite0 won among 2 families.")
    assert options(step.code)["model"] == "efficientnet_lite0"


def test_regularisers_of_the_files_space_are_not_proposed_for_another_family() -> None:
    run = overfitting()
    assert [step.action for step in steps(run)] == ["Search for augmentation"]
    search = replace(run.search, families=("cnn", "baseline"), best_family="baseline")
    assert steps(replace(run, search=search)) == ()
