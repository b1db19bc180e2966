"""What the verdict says, and on what it stays silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.differences import difference
from tests.report.fixtures import (
    results,
    search_only,
)
from tuner.records.comparison import Verdict
from tuner.records.search_summary import Finalist
from tuner.report.sections import verdict


@pytest.mark.parametrize(
    ("words", "value", "reason", "sentence"),
    [
        (
            "better",
            0.078,
            "",
            "Tuning helped: {scores}, +7.8 points [+3.8, +11.8] on 600 test images.",
        ),
        (
            "worse",
            -0.031,
            "",
            "Tuning did not help: {scores}, −3.1 points [−7.1, +0.9] on 600 test images.",
        ),
        (
            "no clear difference",
            0.004,
            "the test finds none.",
            (
                "No clear difference: {scores}, +0.4 points [−3.6, +4.4] on 600 test images. The"
                " test finds none."
            ),
        ),
        (
            "inconclusive",
            0.0,
            "one seed",
            "Inconclusive: {scores}, 0.0 points [−4.0, +4.0] on 600 test images. One seed.",
        ),
    ],
)
def test_verdict_says_what_the_test_says_and_why_no_more(
    words: Verdict, value: float, reason: str, sentence: str
) -> None:
    run = replace(results(), differences=(difference(words, value, reason=reason),))
    scores = "Tuned CNN 81.7 % [78.4, 84.6] against Baseline 73.9 % [70.3, 77.3]"
    assert verdict.compute(run).sentence == sentence.format(scores=scores)


def test_verdict_speaks_of_the_baseline_first_and_leaves_out_what_it_may_not_speak_of() -> None:
    backbone = difference("worse", -0.1, opponent="efficientnet_b2")
    run = replace(results(), differences=(difference("better", 0.078), backbone))
    found = verdict.compute(run)
    assert found.sentence.endswith("on 600 test images.")
    assert [card.summary.result.name for card in found.cards] == [
        "tuned",
        "baseline",
        "efficientnet_b2",
    ]
    assert [card.difference for card in found.cards] == [None, *run.differences]
    spoken = replace(run, models=tuple(replace(model, in_verdict=True) for model in run.models))
    said = " Against EfficientNetB2 (from scratch): worse, −10.0 points [−14.0, −6.0]."
    assert verdict.compute(spoken).sentence == found.sentence + said


def test_inconclusive_comparison_of_one_seed_says_why() -> None:
    backbone = difference("inconclusive", 0.292, opponent="efficientnet_b2", n_seeds=(3, 1))
    run = replace(results(), differences=(difference("better", 0.078), backbone))
    explained = "“Inconclusive”: this run cannot tell which is better. It does not mean “equal”."
    # Its card says only "not in the verdict".
    assert explained not in verdict.compute(run).noise
    spoken = replace(run, models=tuple(replace(model, in_verdict=True) for model in run.models))
    found = verdict.compute(spoken)
    assert found.sentence.endswith(" One of the models was trained with one seed only.")
    assert found.noise.endswith(f" {explained}")


@pytest.mark.parametrize(("words", "value"), [("better", 0.078), ("worse", -0.031)])
def test_tuning_did_neither_where_a_setting_won_that_the_search_started_with(
    words: Verdict, value: float
) -> None:
    run = results()
    search = replace(run.search, best_origin="defaults")
    run = replace(run, search=search, differences=(difference(words, value),))
    assert verdict.compute(run).sentence.startswith(f"{words.capitalize()} than the baseline: ")


def test_the_finalist_that_won_is_named_before_the_others() -> None:
    run = results()
    finalists = tuple(
        Finalist(trial_id=trial_id, search_score=0.9, score=score, origin=origin)
        for trial_id, score, origin in (
            ("0003", 0.95, "baseline"),
            (run.search.best_trial_id, 0.987, ""),
            ("0005", None, ""),
        )
    )
    run = replace(run, search=replace(run.search, finalists=finalists))
    assert verdict.compute(run).sentence.endswith(
        f" 3 trials were retrained to choose the winner: trial {run.search.best_trial_id},"
        " validation accuracy 98.7 %; 0003 (baseline), 95.0 %; 0005, failed. These scores are"
        " smoothed over neighbouring epochs."
    )


def test_verdict_without_the_winner_compares_nothing() -> None:
    run = results()
    broken = replace(run, models=(replace(run.models[0], runs=(), error="boom"), *run.models[1:]))
    said = "The winner of the search could not be retrained, so there is nothing to compare."
    assert verdict.compute(broken).sentence == said


def test_verdict_with_one_model_compares_nothing() -> None:
    run = results()
    alone = replace(
        run, models=(run.models[0], replace(run.models[1], runs=(), error="out of memory"))
    )
    found = verdict.compute(alone)
    assert found.sentence.endswith(
        "the baseline could not be trained, so this says nothing about tuning."
    )
    apart = verdict.compute(replace(run, models=(run.models[0], run.models[2])))
    assert apart.sentence.endswith(
        "no other model is in the verdict; the notes below give the reasons."
    )
    only = verdict.compute(replace(run, models=run.models[:1]))
    assert only.sentence.endswith("there is no other model to compare it with.")
    assert [model.error for model in found.untrained] == ["out of memory"]


def test_verdict_of_a_search_calls_its_score_optimistic() -> None:
    assert (
        verdict.compute(search_only()).sentence
        == "Search only: no model was tested. The best validation accuracy in the search is"
        " 69.9 % on 140 validation images (higher is better; trial 0010). This number is"
        " optimistic."
    )


def test_a_run_that_was_stopped_in_its_comparison_says_so() -> None:
    stopped = replace(search_only(), run=replace(search_only().run, state="searching"))
    found = verdict.compute(stopped)
    assert found.sentence.startswith("In progress, 23 of 23 trials: no model has been tested yet.")
    assert found.badges[0] == "in progress"
    assert found.resume == "python -m tuner run faces --preset standard --seed 1 --resume"
    assert verdict.compute(search_only()).resume is None


def test_verdict_without_any_trained_model_says_so() -> None:
    run = results()
    broken = replace(run, models=tuple(replace(m, runs=(), error="boom") for m in run.models))
    assert verdict.compute(broken).sentence == "No model could be retrained, so nothing was tested."


def test_badges_name_every_limit_of_the_run() -> None:
    run = results(n_seeds=1)
    data, search = (
        replace(run.data, limit=6000, n_unreadable=2, n_test_near_copies=16),
        replace(run.search, n_stopped=1),
    )
    limited = replace(run, data=data, search=search)
    assert verdict.compute(limited).badges == (
        "preset standard",
        "seed 1",
        "limited to 6,000 images",
        "16 of 600 test images nearly identical to training or validation images",
        "1 of 23 trials stopped by the time budget",
        "3 of 23 trials failed",
        "2 settings skipped: cannot be built",
        "2 unreadable images skipped",
    )


def test_a_verdict_of_one_training_states_what_it_assumes() -> None:
    run = results()
    one = difference(
        opponent="efficientnet_b2", n_seeds=(3, 1), reason="a spread of 4.5 points is assumed"
    )
    spoken = tuple(replace(model, in_verdict=True) for model in run.models)
    said = verdict.compute(replace(run, models=spoken, differences=(difference(), one))).sentence
    assert said.endswith("]. A spread of 4.5 points is assumed.")


def test_times_that_are_sums_over_workers_say_so() -> None:
    run = results()
    for workers, ending in (("1", " of training"), ("2", " of training, summed over 2 workers")):
        hardware = {**run.run.hardware, "workers": workers}
        cost = dict(verdict.compute(replace(run, run=replace(run.run, hardware=hardware))).cost)
        assert cost["Retraining"].endswith(ending)
