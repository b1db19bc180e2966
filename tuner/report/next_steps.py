"""Section "Next steps": at most three, each with the fact that calls for it and what to paste."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tuner.records.comparison import Difference
from tuner.records.results import ModelResult, Results
from tuner.report.edges import Edge, edges, override
from tuner.report.facts import IMBALANCED, class_ratio, constant_guess, is_cut_off, overfit_gap, weights_of, winner_of
from tuner.report.reproduce import resume_command
from tuner.report.rerun import has_option, rerun
from tuner.report.subject import Subject
from tuner.report.text import decimal, integer, percent, plural, points, without_folders
from tuner.report.trust import MANY_FAILED
from tuner.space.vocabulary import BACKBONE_NAMES, VOCABULARIES

MAX_STEPS = 3
# Training minus validation accuracy that the page calls clear overfitting.
LARGE_GAP = 0.10
# Up to here all images can test in turn within a reasonable time.
SMALL_TEST_SET = 400
# What temperature scaling must take off the calibration error.
CALIBRATION_GAIN = 0.02

HEADING = "Next steps"

_MORE_SEEDS = 3
_SHOWN_EDGES = 3
# Against overfitting, and no danger to the class of an image; the first that was not searched is proposed.
_REGULARISERS = (
    "space.shift={type: float, min: 0.0, max: 0.15, step: 0.05}",
    "space.random_erasing={type: float, min: 0.0, max: 0.5, step: 0.25}",
    "space.dropout={type: float, min: 0.0, max: 0.6, step: 0.1}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do next.

    Attributes:
        action: What to do.
        fact: What calls for it, with its numbers.
        code: What to paste.
        items: What the fact speaks of, each as its name, which is people's text, and the rest of its line.
    """

    action: str
    fact: str
    code: str
    items: tuple[tuple[str, str], ...] = ()


def context(subject: Subject) -> dict[str, Any]:
    """What the template is given."""
    return {"steps": compute(subject)}


def compute(subject: Subject) -> tuple[Step, ...]:
    """The steps that the run's facts call for, what matters most first; each command once."""
    results = subject.results
    if not results.run.is_complete:
        return (_resume(results),)
    steps: dict[str, Step] = {}
    for step in (found for rule in _RULES for found in rule(subject)):
        steps.setdefault(step.code, step)
    return tuple(islice(steps.values(), MAX_STEPS)) or tuple(_train(results))


def _resume(results: Results) -> Step:
    search = results.search
    return Step(
        action="Wait, or go on with the run",
        fact=f"It has not ended: {integer(search.n_trials)} of {plural(search.n_planned, 'planned trial')} are done.",
        code=resume_command(results.run.command),
    )


def _no_better_than_a_guess(subject: Subject) -> Iterator[Step]:
    results, guess = subject.results, constant_guess(subject.results)
    if guess is None or guess.winner is None or guess.low is None or guess.is_beaten:
        return
    fact = (
        f"Always naming the most frequent class scores {percent(guess.share)} on the test set; the winner scores "
        f"{percent(guess.winner)}, and its interval begins at {percent(guess.low)}."
    )
    if results.run.preset != "thorough":
        longer = "standard" if results.run.preset == "quick" else "thorough"
        yield Step(action="Search and train longer", fact=fact, code=rerun(results.run.command, "--preset", longer))
    is_imbalanced = class_ratio(results.data) > IMBALANCED
    if is_imbalanced and results.search.objective != "val_macro_f1" and results.search.model in VOCABULARIES:
        yield Step(
            action="Search for macro F1, which no constant guess can win",
            fact=fact,
            code=rerun(results.run.command, "--set", "objective=val_macro_f1"),
        )


def _failed_trials(subject: Subject) -> Iterator[Step]:
    run, search = subject.results.run, subject.results.search
    if not search.n_trials or search.n_failed <= MANY_FAILED * search.n_trials:
        return
    reasons = Counter(trial.error for trial in subject.trials if trial.error)
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:1]
    reason = commonest[0][0] if commonest else ""
    action, options = _remedy(reason)
    yield Step(
        action=action,
        fact=f"{integer(search.n_failed)} of {plural(search.n_trials, 'trial')} failed"
        f"{', most often for this reason:' if reason else '.'}",
        code=rerun(run.command, *options),
        items=tuple((text, f"({plural(count, 'trial')})") for text, count in commonest),
    )


def _remedy(reason: str) -> tuple[str, tuple[str, ...]]:
    if "memory" in reason.lower():
        return "Give each training more memory: one at a time", ("--workers", "1")
    if reason.startswith("no step in"):
        return "Give slow trainings more time", ("--trial-timeout", "30m")
    return "Train failed trials again, with another seed", ("--retries", "1")


def _not_compared(subject: Subject) -> Iterator[Step]:
    results = subject.results
    if has_option(results.run.command, "--search-only") and not results.models:
        yield Step(
            action="Retrain the winner and compare it",
            fact=f"The run ended after its search: {integer(results.data.n_test)} test images wait, and no model was "
            "retrained.",
            code=rerun(results.run.command, without=["--search-only"]),
        )


def _more_seeds(subject: Subject) -> Iterator[Step]:
    results = subject.results
    counts = [len(model.runs) for model in results.models if model.runs and model.in_verdict]
    if 1 in counts:
        yield Step(
            action="Repeat the retraining with more seeds",
            fact=f"{counts.count(1)} of {plural(len(counts), 'model')} in the verdict trained once only, which cannot "
            "tell a real difference from the luck of a seed.",
            code=_with_more(results, "retrain.seeds", _MORE_SEEDS),
        )


def _limits(subject: Subject) -> Iterator[Step]:
    results, command = subject.results, subject.results.run.command
    facts, without = [], []
    if results.data.limit is not None and has_option(command, "--limit"):
        facts.append(f"Only {integer(results.data.limit)} images trained and validated")
        without.append("--limit")
    if results.search.n_stopped and has_option(command, "--time-budget"):
        stopped = plural(results.search.n_stopped, "trial")
        facts.append(f"The time budget stopped {stopped} of {integer(results.search.n_trials)} before the last epoch")
        without.append("--time-budget")
    if facts:
        yield Step(action="Lift the limit", fact=f"{'. '.join(facts)}.", code=rerun(command, without=without))


def _wider_ranges(subject: Subject) -> Iterator[Step]:
    results = subject.results
    changes = [(edge, text) for edge in _by_importance(results) if (text := override(edge, results.search.model))]
    shown = changes[:_SHOWN_EDGES]
    if shown:
        options = [word for _, text in shown for word in ("--set", text)]
        yield Step(
            action="Search beyond the edge",
            fact=f"The best {'value lies' if len(shown) == 1 else 'values lie'} on the edge of what was searched:",
            code=rerun(results.run.command, *options),
            items=tuple((edge.parameter.name, edge.words) for edge, _ in shown),
        )


def _by_importance(results: Results) -> list[Edge]:
    """Edges, those of the parameters that mattered most first, as far as that is known."""
    ranked = [one.name for one in results.importance.parameters] if results.importance else []
    found = edges(results.search)
    return sorted(found, key=lambda edge: ranked.index(edge.parameter.name) if edge.parameter.name in ranked else 999)


def _more_epochs(subject: Subject) -> Iterator[Step]:
    results, winner = subject.results, winner_of(subject.results)
    if winner is None or not is_cut_off(winner):
        return
    last, ceiling = winner.kept.epochs[-1].epoch, winner.result.max_epochs
    if last >= ceiling:
        yield Step(
            action="Retrain for more epochs",
            fact=f"The winner was best in epoch {last}, the last one that it was allowed.",
            code=_with_more(results, "retrain.epochs", 2 * ceiling),
        )


def _less_overfitting(subject: Subject) -> Iterator[Step]:
    results, winner = subject.results, winner_of(subject.results)
    gap = overfit_gap(winner) if winner else None
    searched = {f"space.{name}" for name in results.search.searched}
    proposals = [text for text in _REGULARISERS if text.partition("=")[0] not in searched]
    if gap is None or gap < LARGE_GAP or not proposals or results.search.model not in VOCABULARIES:
        return
    yield Step(
        action="Search for augmentation" if "dropout" not in proposals[0] else "Search for dropout",
        fact=f"The winner overfits: in its kept epoch training accuracy is {decimal(100 * gap, 1)} points above "
        "validation accuracy.",
        code=rerun(results.run.command, "--set", proposals[0]),
    )


def _backbone_ahead(subject: Subject) -> Iterator[Step]:
    results = subject.results
    ahead = [(model, found) for model, found in _pretrained(results) if found.verdict == "worse"]
    if ahead:
        model, found = min(ahead, key=lambda pair: pair[1].accuracy.value)
        low, high = -found.accuracy.high, -found.accuracy.low
        yield Step(
            action="Search the pretrained network itself",
            fact=f"On {plural(found.n, 'test image')} a pretrained network is ahead of the winner:",
            # Another family has other hyperparameters and a space of its own.
            code=rerun(results.run.command, "--model", model.name, without=["--space", "--set"]),
            items=((model.title, f"by {points(-found.accuracy.value)} points, from {points(low)} to {points(high)}"),),
        )


def _pretrained(results: Results) -> Iterator[tuple[ModelResult, Difference]]:
    by_name = {difference.opponent: difference for difference in results.differences}
    for model in results.models:
        if model.name in by_name and model.name in BACKBONE_NAMES and weights_of(model) == "imagenet":
            yield model, by_name[model.name]


def _more_images(subject: Subject) -> Iterator[Step]:
    results, found = subject.results, subject.results.main_difference
    data, command = results.data, results.run.command
    if found is None or found.verdict != "inconclusive" or found.seed_sd is None:
        return
    if not data.is_official_split and data.n_test <= SMALL_TEST_SET and not has_option(command, "--nested"):
        low, high = found.accuracy.low, found.accuracy.high
        yield Step(
            action="Let every image test in turn",
            fact=f"On {plural(found.n, 'test image')} the difference may be anything from {points(low)} to "
            f"{points(high)} points.",
            code=rerun(command, "--nested"),
        )


def _calibrate(subject: Subject) -> Iterator[Step]:
    results, found = subject.results, subject.results.temperature
    if found is None:
        return
    before, after = found.test_calibration_error
    loss_before, loss_after = found.test_log_loss
    if before - after >= CALIBRATION_GAIN and loss_after <= loss_before:
        folder = shlex.quote(without_folders(results.run.folder))
        yield Step(
            action="Use calibrated probabilities",
            fact=f"The winner's calibration error on the test set is {percent(before)}, and {percent(after)} after "
            f"temperature scaling with T = {decimal(found.value, 2)}; log loss falls from {decimal(loss_before)} to "
            f"{decimal(loss_after)}.",
            code=f"python -m tuner predict {folder} --calibrated image.png",
        )


def _search_more(subject: Subject) -> Iterator[Step]:
    results, found = subject.results, subject.results.main_difference
    if found and found.verdict in ("worse", "no clear difference") and results.run.preset != "thorough":
        low, high = found.accuracy.low, found.accuracy.high
        yield Step(
            action="Search longer",
            fact=f"{plural(results.search.n_trials, 'trial')} found nothing that is clearly better: "
            f"{points(found.accuracy.value)} points of test accuracy, from {points(low)} to {points(high)}.",
            code=rerun(results.run.command, "--preset", "thorough"),
        )


def _train(results: Results) -> Iterator[Step]:
    found = results.main_difference
    if found and found.verdict == "better":
        folder = shlex.quote(without_folders(results.run.folder))
        yield Step(
            action="Train for production, on the validation images too",
            fact=f"The winner is better by {points(found.accuracy.value)} points of test accuracy, and nothing above "
            "asks for more.",
            code=f"python -m tuner train --from {folder} --full-data",
        )


def _with_more(results: Results, key: str, count: int) -> str:
    """The run again with a greater number; the quick preset states its own, whatever the space says."""
    if results.run.preset == "quick":
        return rerun(results.run.command, "--preset", "standard")
    return rerun(results.run.command, "--set", f"{key}={count}")


_RULES: tuple[Callable[[Subject], Iterator[Step]], ...] = (
    _no_better_than_a_guess,
    _failed_trials,
    _not_compared,
    _more_seeds,
    _limits,
    _wider_ranges,
    _more_epochs,
    _less_overfitting,
    _backbone_ahead,
    _more_images,
    _calibrate,
    _search_more,
)
