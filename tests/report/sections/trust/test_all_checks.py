"""What the checks say before anybody believes a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.differences import difference
from tests.report.fixtures import HOSTILE, recommending, results, search_only
from tests.report.test_edges import with_parameters
from tuner.records.results import Results
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.trust.all_checks import compute, context, summary_line
from tuner.report.sections.trust.check_result import CheckResult
from tuner.space.definition import Parameter


def check(run: Results, title: str) -> CheckResult:
    return next(one for one in compute(run) if one.title == title)


def test_the_summary_counts_each_state_once() -> None:
    checks = compute(results())
    count = {
        state: sum(c.state == state for c in checks)
        for state in ("pass", "warn", "fail", "not known")
    }
    assert summary_line(checks).startswith(f"{count['pass']} of {len(checks)} checks passed")
    assert summary_line(checks[:2]) == "1 of 2 checks passed, 1 not known"


@pytest.mark.parametrize("run", [search_only(), replace(results(), models=())])
def test_without_models_the_test_set_was_not_opened_and_what_needs_scores_is_not_known(
    run: Results,
) -> None:
    assert "Not opened" in check(run, "The search never saw the test set").fact
    for title in (
        "Enough test images",
        "Enough validation images",
        "Trainings repeated with other seeds",
        "Training ran long enough",
    ):
        assert check(run, title).state == "not known", title


@pytest.mark.parametrize(
    ("n", "n_near", "state"),
    [(0, 0, "pass"), (0, 4, "warn"), (3, 0, "warn"), (7, 0, "fail"), (3, 4, "fail")],
)
def test_copies_that_were_trained_on_are_counted(n: int, n_near: int, state: str) -> None:
    run = results(n_test=600)
    found = check(
        replace(run, data=replace(run.data, n_test_copies=n, n_test_near_copies=n_near)),
        "No copies across the parts",
    )
    assert found.state == state
    assert f"{n} of 600 test images have an identical image" in found.fact


def test_copies_that_nobody_counted_are_not_known() -> None:
    run = results()
    found = check(
        replace(run, data=replace(run.data, n_dropped_copies=40)), "No copies across the parts"
    )
    assert (found.state, "40 copies" in found.fact) == ("not known", True)


def test_a_winner_at_the_constant_guess_fails() -> None:
    run = results(n_classes=2, n_test=600)
    assert check(run, "Better than a constant guess").state == "pass"
    found = check(
        replace(run, data=replace(run.data, test_counts=(590, 10))), "Better than a constant guess"
    )
    assert found.state == "fail"
    assert "would score 98.3 % on the test set" in found.fact
    assert check(replace(run, models=()), "Better than a constant guess").state == "not known"


def test_a_model_that_names_one_class_is_told_with_it() -> None:
    run = results(n_classes=2, n_test=600)
    assert check(run, "Better than a constant guess").items == ()
    tuned = run.models[0]
    constant = tuple(
        replace(one, test=replace(one.test, confusion=((0, 300), (0, 300)))) for one in tuned.runs
    )
    found = check(
        replace(run, models=(replace(tuned, runs=constant),)), "Better than a constant guess"
    )
    name = run.data.class_names[1]
    assert found.items == ((tuned.title, f'predicts one class, "{name}", for every test image'),)


def test_a_rare_class_is_a_warning_that_names_it() -> None:
    run = results(n_classes=3)
    assert check(run, "Classes are balanced").state == "pass"
    found = check(
        replace(run, data=replace(run.data, train_counts=(90, 9, 1))), "Classes are balanced"
    )
    assert found.state == "warn"
    assert found.items == (
        ("angry", "has 90.0 % of the training images"),
        ("fear", "has 1.0 % of the training images"),
    )
    assert "90.0 times" in found.fact


def test_a_class_without_training_images_is_no_crash() -> None:
    run = results(n_classes=2)
    assert (
        check(
            replace(run, data=replace(run.data, train_counts=(9, 0))), "Classes are balanced"
        ).state
        == "warn"
    )


@pytest.mark.parametrize(
    ("n_failed", "state"), [(0, "pass"), (2, "pass"), (3, "warn"), (12, "fail")]
)
def test_failed_trials_are_judged_by_their_share(n_failed: int, state: str) -> None:
    run = results()
    found = check(replace(run, search=replace(run.search, n_failed=n_failed)), "Few trials failed")
    assert found.state == state
    said = f"{n_failed} of 23 trials failed" if n_failed else "No trial failed."
    assert said in found.fact


def test_without_a_difference_the_winners_interval_tells_whether_the_images_are_enough() -> None:
    assert check(results(n_test=600), "Enough test images").state == "pass"
    found = check(results(n_test=43), "Enough test images")
    assert found.state == "warn"
    assert "points wide" in found.fact


@pytest.mark.parametrize(
    ("reach", "image_sd", "seed_sd", "state"),
    [
        (0.04, 0.02, 0.01, "pass"),
        (0.06, 0.02, 0.01, "warn"),
        (0.06, 0.02, None, "warn"),
        # More images would mend little of it.
        (0.06, 0.01, 0.02, "pass"),
    ],
)
def test_images_are_too_few_where_they_make_the_difference_too_uncertain(
    reach: float, image_sd: float, seed_sd: float | None, state: str
) -> None:
    found = difference("inconclusive")
    accuracy = replace(
        found.accuracy, low=found.accuracy.value - reach, high=found.accuracy.value + reach
    )
    run = replace(
        results(),
        differences=(replace(found, accuracy=accuracy, image_sd=image_sd, seed_sd=seed_sd),),
    )
    one = check(run, "Enough test images")
    assert one.state == state
    assert f"{100 * reach:.1f} points to either side" in one.fact
    assert ("does not include the noise of seeds" in one.fact) == (seed_sd is None)


def test_one_seed_is_a_warning() -> None:
    assert check(results(n_seeds=3), "Trainings repeated with other seeds").state == "pass"
    found = check(results(n_seeds=1), "Trainings repeated with other seeds")
    assert (found.state, "2 of 2 models" in found.fact) == ("warn", True)
    assert found.items == ()
    tuned, *others = results(n_seeds=3).models
    mixed = replace(results(), models=(tuned, *(replace(m, runs=m.runs[:1]) for m in others)))
    found = check(mixed, "Trainings repeated with other seeds")
    assert [rest for _, rest in found.items] == ["trained once"]


@pytest.mark.parametrize(("n", "state"), [(20, "warn"), (5000, "pass")])
def test_few_validation_images_are_a_warning(n: int, state: str) -> None:
    run = recommending(results())
    found = replace(run, recommendation=replace(run.recommendation, n_images=n))
    one = check(found, "Enough validation images")
    assert one.state == state
    assert one.fact.startswith(f"{n:,} validation images choose the model. One standard error")
    assert ("cannot be told apart" in one.fact) is (state == "warn")


def test_validation_images_are_not_judged_without_an_accuracy() -> None:
    run = replace(results(), search=replace(results().search, objective="val_loss"))
    assert check(run, "Enough validation images").state == "warn"
    blind = [replace(one, epochs=()) for one in run.models[0].runs]
    run = replace(run, models=(replace(run.models[0], runs=tuple(blind)), *run.models[1:]))
    assert check(run, "Enough validation images").state == "not known"


def test_even_classes_are_said_to_be_so_in_a_sentence() -> None:
    run = results()
    even = replace(run, data=replace(run.data, train_counts=(143,) * 6 + (142,)))
    found = check(even, "Classes are balanced")
    assert (found.state, found.items) == ("pass", ())
    assert found.fact == "All classes have about the same number of training images."


@pytest.mark.parametrize(
    ("n_runs", "words"), [(1, "1 of 3 trainings succeeded"), (2, "2 of 3 trainings succeeded")]
)
def test_trainings_that_failed_are_counted_beside_those_that_ended_well(
    n_runs: int, words: str
) -> None:
    run = results(n_seeds=3)
    tuned = run.models[0]
    kept = [one for one in tuned.runs if one.is_kept]
    others = [one for one in tuned.runs if not one.is_kept]
    lamed = replace(
        tuned, runs=(*kept, *others)[:n_runs], n_failed=3 - n_runs, error="out of memory"
    )
    found = check(
        replace(run, models=(lamed, *run.models[1:])), "Trainings repeated with other seeds"
    )
    assert (found.state, found.items) == ("warn", ((tuned.title, words),))


def test_best_in_the_last_epoch_is_a_warning_that_says_what_ended_it() -> None:
    run = results()
    assert check(run, "Training ran long enough").state == "pass"
    for max_epochs, words in ((12, "the last one allowed"), (20, "of at most 20")):
        tuned = run.models[0]
        runs = tuple(replace(one, best_epoch=12) for one in tuned.runs)
        models = (replace(tuned, runs=runs, max_epochs=max_epochs), *run.models[1:])
        found = check(replace(run, models=models), "Training ran long enough")
        assert (found.state, words in found.fact) == ("warn", True), found.fact


def test_a_score_that_the_last_epoch_only_repeats_was_not_improving() -> None:
    run = results()
    tuned = run.models[0]
    epochs = tuple(replace(one, metrics={"val_accuracy": 1.0}) for one in tuned.runs[0].epochs)
    runs = tuple(replace(one, best_epoch=12, epochs=epochs) for one in tuned.runs)
    models = (replace(tuned, runs=runs, max_epochs=20), *run.models[1:])
    assert check(replace(run, models=models), "Training ran long enough").state == "pass"


def test_values_of_a_setting_that_the_search_started_with_are_at_no_end_of_a_range() -> None:
    run = results()
    begun = replace(run, search=replace(run.search, best_origin="defaults"))
    found = check(begun, "Best values inside their ranges")
    assert (found.state, "a starting setting, defaults," in found.fact) == ("not known", True)


def test_every_training_of_the_verdict_is_looked_at_for_its_last_epoch() -> None:
    run = results()
    _, baseline, backbone = run.models
    last = tuple(replace(one, best_epoch=12, is_kept=one.is_kept) for one in baseline.runs)
    models = (
        run.models[0],
        replace(baseline, runs=(last[0], *baseline.runs[1:]), max_epochs=12),
        backbone,
    )
    found = check(replace(run, models=models), "Training ran long enough")
    assert (found.state, found.items) == ("warn", ((baseline.title, "(1 of 3 trainings)"),))


@pytest.mark.parametrize(
    ("shift", "state", "words"),
    [(0.0, "pass", "not"), (0.01, "pass", "but by at most"), (0.2, "warn", "by more than")],
)
def test_a_search_score_that_is_two_standard_errors_too_good_did_not_hold(
    shift: float, state: str, words: str
) -> None:
    run = results()
    kept = next(one for one in run.models[0].runs if one.is_kept).validation_score
    found = check(
        replace(run, search=replace(run.search, best_score=kept + shift)),
        "The search's best score held",
    )
    assert found.state == state
    assert words in found.fact
    assert found.items[0][0] == "val_accuracy"


def test_a_score_that_has_no_standard_error_is_not_known_and_shows_both_numbers() -> None:
    run = results()
    of_loss = replace(
        run, search=replace(run.search, objective="val_loss", direction="min", best_score=0.1234)
    )
    of_folds = replace(
        run, data=replace(run.data, n_folds=5), search=replace(run.search, best_score=0.1234)
    )
    for some, score in ((of_loss, "0.123"), (of_folds, "12.3 %")):
        found = check(some, "The search's best score held")
        shown = f"{score} in the search" in found.items[0][1]
        assert (found.state, shown) == ("not known", True), found


def test_a_score_that_is_no_number_is_not_known() -> None:
    run = results()
    found = check(
        replace(run, search=replace(run.search, best_score=float("nan"))),
        "The search's best score held",
    )
    assert found.state == "not known"
    assert "NaN in the search" in found.items[0][1]


@pytest.mark.parametrize(
    ("model", "weights", "state", "words"),
    [
        ("efficientnet_b2", "imagenet", "pass", "started from ImageNet weights"),
        ("dinov2_base", "imagenet", "pass", "started from LVD-142M weights"),
        ("efficientnet_b2", "none", "warn", "started from random weights"),
        ("efficientnet_b2", "mine.keras", "pass", "started from your own weights"),
    ],
)
def test_weights_are_those_that_a_backbone_began_from(
    model: str, weights: str, state: str, words: str
) -> None:
    run = results()
    backbone = replace(run.models[2], model=model, values={"weights": weights})
    found = check(
        replace(run, models=(*run.models[:2], backbone)), "No backbone was trained from scratch"
    )
    assert (found.state, found.items) == (state, ((backbone.title, words),))
    untrained = replace(backbone, runs=())
    without = check(
        replace(run, models=(*run.models[:2], untrained)), "No backbone was trained from scratch"
    )
    assert (without.state, without.items) == ("pass", ())


def test_what_a_persons_own_builder_began_from_is_not_known() -> None:
    run = results()
    winner = replace(run.models[0], model="mine:build")
    # A baseline of a data set's card is no person's own.
    baseline = replace(run.models[1], model="sigmoid_cnn")
    found = check(replace(run, models=(winner, baseline)), "No backbone was trained from scratch")
    assert (found.state, found.items) == (
        "not known",
        ((winner.title, "is from your own builder"),),
    )


def test_the_section_shows_states_as_words_and_hostile_names_isolated() -> None:
    parameter = Parameter(name=HOSTILE[0], kind="choice", choices=(1, 2, 3))
    run = with_parameters(parameter, model="mine:build", **{HOSTILE[0]: 3})
    section = (
        make_environment("tuner.report")
        .get_template("sections/trust.html")
        .render(context(ReportedRun(results=run)))
    )
    assert "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi> = 3, searched among 1, 2, 3" in section
    assert section.count('class="state"') == len(compute(run))
    assert "</span> warn</span>" in section
