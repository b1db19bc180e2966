"""Checks of the trainings: those of the search, and those of the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, sqrt

from tuner.metrics.score_text import decimal, percent, score_text
from tuner.models.backbones.catalog import BACKBONES
from tuner.names import is_own
from tuner.records.results import ModelResult, Results
from tuner.report.edges import edges, with_edges
from tuner.report.facts import (
    MANY_FAILED,
    is_cut_off,
    once_words,
    optimism,
    trainings_words,
    weights_of,
    winner_of,
)
from tuner.report.model_summary import summarise
from tuner.report.sections.trust.check_result import NOT_TESTED, CheckResult
from tuner.report.text import integer, plural

# Share of trials.
MOST_FAILED = 0.5


def seeds(results: Results) -> CheckResult:
    """Whether the noise of training can be seen."""
    title, winner = "Trainings repeated with other seeds", winner_of(results)
    if winner is None:
        return CheckResult(title=title, state="not known", fact=NOT_TESTED)
    models = [s.result for s in summarise(results.models) if s.result.in_verdict]
    counts = [len(model.runs) for model in models]
    doubtful = [model for model in models if len(model.runs) == 1 or model.n_failed]
    items = tuple((model.title, trainings_words(model)) for model in doubtful)
    if set(counts) == {1} and not any(model.n_failed for model in models):
        # The sentence says it of each.
        items = ()
    of_models = plural(len(models), "model")
    if min(counts) == 1:
        fact = (
            f"{counts.count(1)} of {of_models} in the verdict"
            f" {'was' if counts.count(1) == 1 else 'were'} trained only once."
            f" {once_words(results)}"
        )
        return CheckResult(title=title, state="warn", fact=fact, items=items)
    scores = [run.test.accuracy for run in winner.result.runs]
    spread = (
        f"The test accuracies of the winner's trainings differ by up to"
        f" {decimal(100 * (max(scores) - min(scores)), 1)} points."
    )
    fact = f"Each model in the verdict was trained at least {min(counts)} times. {spread}"
    if doubtful:
        failed = (
            f"Trainings of {len(doubtful)} of {of_models} failed, and the remaining scores may be"
            " too good."
        )
        return CheckResult(title=title, state="warn", fact=f"{fact} {failed}", items=items)
    return CheckResult(title=title, state="pass", fact=fact)


def search_noise(results: Results) -> CheckResult:
    """Whether the best of many validation scores was met again."""
    title, winner, search = "The search's best score held", winner_of(results), results.search
    better = "higher" if search.direction == "max" else "lower"
    trials = plural(search.n_trials, "trial")
    score = score_text(search.best_score, search.objective)
    best = f"({better} is better): {score} in the search, best of {trials}"
    if winner is None:
        fact = "The winner was not retrained. The best of many validation scores is optimistic."
        return CheckResult(
            title=title, state="not known", fact=fact, items=((search.objective, best),)
        )
    kept, data = winner.kept.validation_score, results.data
    again = (
        f"{score_text(kept, search.objective)} after retraining, best of"
        f" {plural(len(winner.result.runs), 'seed')}"
    )
    items = ((search.objective, f"{best}; {again}"),)
    gap = optimism(results, winner)
    if kept is None or not isfinite(gap):
        return CheckResult(
            title=title, state="not known", fact="The two scores cannot be compared.", items=items
        )
    if search.objective != "val_accuracy" or data.n_folds > 1:
        why = (
            "the folds validate on different images"
            if data.n_folds > 1
            else "the objective is not a share of images"
        )
        fact = f"There is no standard error to compare the two scores with, because {why}."
        return CheckResult(title=title, state="not known", fact=fact, items=items)
    yardstick = f"two standard errors on {plural(data.n_validation, 'validation image')}"
    has_sunk = gap > 2 * sqrt(kept * (1 - kept) / data.n_validation)
    if gap <= 0:
        how = "not worse"
    elif has_sunk:
        how = f"worse by more than {yardstick}"
    else:
        how = f"worse, but by at most {yardstick}"
    fact = f"After retraining, the winner is {how}."
    return CheckResult(title=title, state="warn" if has_sunk else "pass", fact=fact, items=items)


def best_values(results: Results) -> CheckResult:
    """Best values at the end of what was searched."""
    title, found, of = (
        "Best values inside their ranges",
        edges(results.search),
        with_edges(results.search),
    )
    if results.search.best_origin:
        return CheckResult(
            title=title,
            state="not known",
            fact=(
                f"The winner is a starting setting, {results.search.best_origin}, so none of its"
                " values was chosen from a range."
            ),
        )
    if not of:
        return CheckResult(
            title=title,
            state="pass",
            fact="No searched hyperparameter is ordered and has more than two values.",
        )
    if not found:
        return CheckResult(
            title=title,
            state="pass",
            fact=(
                f"Of {plural(len(of), 'ordered hyperparameter')}, none has its best value at an end"
                " of the searched range."
            ),
        )
    return CheckResult(
        title=title,
        state="warn",
        fact=(
            f"Of {plural(len(of), 'ordered hyperparameter')}, {len(found)}"
            f" {'has its' if len(found) == 1 else 'have their'} best value at an end of the"
            " searched range. A better value may lie beyond it. With only a few values to choose"
            " from, this may be chance."
        ),
        items=tuple((edge.parameter.name, edge.words) for edge in found),
    )


def last_epoch(results: Results) -> CheckResult:
    """Whether the kept retraining may have ended too early."""
    title, winner = "Training ran long enough", winner_of(results)
    if winner is None or not winner.kept.epochs:
        return CheckResult(title=title, state="not known", fact=NOT_TESTED)
    last, ceiling = winner.kept.epochs[-1].epoch, winner.result.max_epochs
    cut_off = [
        (m.title, f"({n} of {plural(len(m.runs), 'training')})") for m, n in _cut_off(results)
    ]
    if not is_cut_off(winner, results.search.objective):
        at_most = f" (at most {ceiling})" if last < ceiling else ""
        fact = f"The kept retraining was best in epoch {winner.kept.best_epoch} of {last}{at_most}."
        if cut_off:
            fact += (
                " Some trainings were best in the last epoch allowed and may still have been"
                " improving:"
            )
        return CheckResult(
            title=title, state="warn" if cut_off else "pass", fact=fact, items=tuple(cut_off)
        )
    why = "the last one allowed" if last >= ceiling else f"of at most {ceiling}"
    fact = (
        f"The kept retraining was best in its last epoch, {last} ({why}). It may still have been"
        " improving."
    )
    return CheckResult(title=title, state="warn", fact=fact, items=tuple(cut_off))


def _cut_off(results: Results) -> Iterator[tuple[ModelResult, int]]:
    """The models of the verdict with trainings that were best in their last epoch, and how many."""
    for model in results.models:
        n = sum(bool(run.epochs) and run.best_epoch == model.max_epochs for run in model.runs)
        if n and model.in_verdict:
            yield model, n


def failed_trials(results: Results) -> CheckResult:
    """The share of trials that failed."""
    title, search = "Few trials failed", results.search
    if not search.n_trials:
        return CheckResult(title=title, state="not known", fact="No trial has ended.")
    # A trial that breaks a constraint is no sign that something is wrong.
    n_failed = search.n_failed - search.n_over
    share = n_failed / search.n_trials
    n_rejected = search.n_rejected
    rejected = (
        f" Skipped because they cannot be built: {plural(n_rejected, 'setting')}."
        if n_rejected
        else ""
    )
    return CheckResult(
        title=title,
        state="fail" if share > MOST_FAILED else "warn" if share > MANY_FAILED else "pass",
        fact=(
            f"{integer(n_failed)} of {plural(search.n_trials, 'trial')} failed ({percent(share)})."
            if n_failed
            else "No trial failed."
        )
        + rejected,
    )


def backbone_weights(results: Results) -> CheckResult:
    """What backbones started from."""
    title = "No backbone was trained from scratch"
    tested = [model for model in results.models if model.runs]
    if not tested:
        return CheckResult(title=title, state="not known", fact=NOT_TESTED)
    backbones = [(model, weights) for model in tested if (weights := weights_of(model)) is not None]
    own = [(model.title, "is from your own builder") for model in tested if is_own(model.model)]
    items = (
        *((model.title, f"started from {_origin(model, weights)}") for model, weights in backbones),
        *own,
    )
    n_scratch = sum(weights == "none" for _, weights in backbones)
    if n_scratch:
        of_all = f"{n_scratch} of {plural(len(backbones), 'backbone')}"
        fact = f"Trained from scratch: {of_all}. This does not show such a network at its best."
        return CheckResult(title=title, state="warn", fact=fact, items=items)
    if own:
        fact = "Only the code of your builder determines its initial weights."
        return CheckResult(title=title, state="not known", fact=fact, items=items)
    if not backbones:
        return CheckResult(
            title=title,
            state="pass",
            fact="No backbone was compared. All models started from random weights.",
        )
    return CheckResult(
        title=title,
        state="pass",
        fact=f"{plural(len(backbones), 'backbone')}, pretrained.",
        items=items,
    )


def _origin(model: ModelResult, weights: str) -> str:
    if weights == "none":
        return "random weights"
    published = f"{BACKBONES[model.model].pretrained_on} weights"
    return published if weights == "imagenet" else "your own weights"
