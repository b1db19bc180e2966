"""Next steps that follow from the retrainings and the comparison."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tuner.metrics.score_text import decimal, percent
from tuner.records.comparison import Difference
from tuner.records.results import ModelResult, Results
from tuner.report.command_lines import has_option, rerun
from tuner.report.facts import (
    is_cut_off,
    once_words,
    recipe_option,
    trainings_words,
    weights_of,
    winner_of,
)
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.next_steps.next_step import NextStep, new_run, remedy, with_more
from tuner.report.text import plural, points
from tuner.space.vocabulary import BACKBONE_NAMES

# Up to here all images can test in turn within a reasonable time.
SMALL_TEST_SET = 400
# What temperature scaling must take off the calibration error.
CALIBRATION_GAIN = 0.02

_MORE_SEEDS = 3


def not_compared(reported: ReportedRun) -> Iterator[NextStep]:
    """A run that ended after its search."""
    results = reported.results
    if has_option(results.run.command, "--search-only") and not results.models:
        yield NextStep(
            action="Retrain the winner and compare it",
            fact=(
                "The run ended after the search. No model was retrained, and"
                f" {plural(results.data.n_test, 'test image was', 'test images were')} not used."
            ),
            code=rerun(results.run.command, without=["--search-only"]),
        )


def failed_trainings(reported: ReportedRun) -> Iterator[NextStep]:
    """Retrainings that failed leave the verdict open, whatever the others score."""
    run = reported.results.run
    failed = [model for model in reported.results.models if model.in_verdict and model.n_failed]
    if failed:
        again = ("Run again with another seed", ("--seed", str(run.seed + 1)))
        action, options = remedy(failed[0].error or "") or again
        yield NextStep(
            action=action,
            fact=f"{plural(sum(model.n_failed for model in failed), 'retraining')} failed:",
            code=rerun(run.command, *options),
            items=tuple(item for model in failed for item in _failure(model)),
        )


def _failure(model: ModelResult) -> Iterator[tuple[str, str]]:
    yield model.title, f"({trainings_words(model)})"
    if model.error:
        yield model.error, "(the reason)"


def more_seeds(reported: ReportedRun) -> Iterator[NextStep]:
    """One training shows no noise of training."""
    results = reported.results
    spoken = [model for model in results.models if model.runs and model.in_verdict]
    n_once = sum(len(model.runs) == 1 and not model.n_failed for model in spoken)
    if n_once:
        yield NextStep(
            action="Run again with more seeds",
            fact=(
                f"{n_once} of {plural(len(spoken), 'model')} in the verdict"
                f" {'was' if n_once == 1 else 'were'} trained only once. {once_words(results)}"
                f" {new_run(results)}"
            ),
            code=with_more(results, "retrain.seeds", _MORE_SEEDS),
        )


def more_epochs(reported: ReportedRun) -> Iterator[NextStep]:
    """A retraining that was best in the last epoch of its ceiling."""
    results, winner = reported.results, winner_of(reported.results)
    if winner is None or not is_cut_off(winner, results.search.objective):
        return
    last, ceiling = winner.kept.epochs[-1].epoch, winner.result.max_epochs
    if last >= ceiling:
        yield NextStep(
            action="Run again with more epochs",
            fact=(f"The winner was best in epoch {last}, the last one allowed. {new_run(results)}"),
            code=with_more(results, "retrain.epochs", 2 * ceiling),
        )


def backbone_ahead(reported: ReportedRun) -> Iterator[NextStep]:
    """A pretrained network that is better than the winner."""
    results = reported.results
    ahead = [(model, found) for model, found in _pretrained(results) if found.verdict == "worse"]
    if ahead:
        model, found = min(ahead, key=lambda pair: pair[1].accuracy.value)
        low, high = -found.accuracy.high, -found.accuracy.low
        yield NextStep(
            action="Search the pretrained network",
            fact=(
                "A pretrained network is better than the winner on"
                f" {plural(found.n, 'test image')}:"
            ),
            # Another family has other hyperparameters and a space of its own.
            code=rerun(results.run.command, "--model", model.name, without=["--space", "--set"]),
            items=(
                (
                    model.title,
                    (
                        f"by {points(-found.accuracy.value)} points, from {points(low)} to"
                        f" {points(high)}"
                    ),
                ),
            ),
        )


def _pretrained(results: Results) -> Iterator[tuple[ModelResult, Difference]]:
    by_name = {difference.opponent: difference for difference in results.differences}
    for model in results.models:
        if (
            model.name in by_name
            and model.name in BACKBONE_NAMES
            and weights_of(model) == "imagenet"
        ):
            yield model, by_name[model.name]


def inconclusive(reported: ReportedRun) -> Iterator[NextStep]:
    """An interval that is too wide: more of what the larger part of its noise comes from."""
    results, found = reported.results, reported.results.main_difference
    if found is None or found.verdict != "inconclusive" or found.seed_sd is None:
        return
    if any(model.n_failed for model in results.models if model.in_verdict):
        return
    difference = (
        f"On {plural(found.n, 'test image')}, the 95 % interval of the difference runs from"
        f" {points(found.accuracy.low)} to {points(found.accuracy.high)} points."
    )
    command, data = results.run.command, results.data
    if found.seed_sd > found.image_sd:
        n = max(found.n_seeds)
        yield NextStep(
            action="Run again with more seeds",
            fact=(
                f"{difference} Most of this noise comes from the {n} seeds, not from the images."
                f" {new_run(results)}"
            ),
            code=with_more(results, "retrain.seeds", 2 * n),
        )
    elif (
        not data.is_official_split
        and data.n_test <= SMALL_TEST_SET
        and not has_option(command, "--nested")
    ):
        yield NextStep(
            action="Test on every image in turn",
            fact=(
                f"{difference} Most of this noise comes from the small number of test images. This"
                " command pools the scores over all images. It does not test the difference and"
                " gives no verdict."
            ),
            code=rerun(command, "--nested"),
        )
    else:
        yield NextStep(
            action="Collect more test images",
            fact=(
                f"{difference} Most of this noise comes from the small number of test images. No"
                " option makes the test set larger. Four times as many images would halve this part"
                " of the noise."
            ),
        )


def calibrate(reported: ReportedRun) -> Iterator[NextStep]:
    """Temperature scaling that carried over to the test images."""
    results, found = reported.results, reported.results.temperature
    if found is None:
        return
    before, after = found.test_calibration_error
    loss_before, loss_after = found.test_log_loss
    if before - after >= CALIBRATION_GAIN and loss_after <= loss_before:
        yield NextStep(
            action="Use calibrated probabilities",
            fact=(
                f"Temperature scaling with T = {decimal(found.value, 2)} reduces the winner's"
                f" calibration error on the test set from {percent(before)} to {percent(after)}."
                f" Log loss falls from {decimal(loss_before)} to {decimal(loss_after)}."
            ),
            code=(
                f"python -m tuner predict {shlex.quote(results.run.folder)}"
                f"{recipe_option(results, 'tuned')} --calibrated image.png"
            ),
        )
