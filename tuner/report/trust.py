"""Section "Trust": what was checked before anybody believes the verdict, each check with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Literal

from tuner.records.results import Results
from tuner.report.edges import edges, with_edges
from tuner.report.facts import IMBALANCED, class_ratio, constant_guess, is_cut_off, optimism, weights_of, winner_of
from tuner.report.subject import Subject
from tuner.report.summary import summarise
from tuner.report.text import decimal, integer, interval, percent, plural

State = Literal["pass", "warn", "fail", "not known"]

# Shares of trials.
MANY_FAILED, MOST_FAILED = 0.1, 0.5
FEW_TEST_IMAGES = 100
# Share of test images that were trained on.
MANY_COPIES = 0.01

HEADING = "Trust"

_NOT_TESTED = "No model was retrained and tested."
_ORIGINS = {"imagenet": "began from ImageNet weights", "none": "began from random weights"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row.

    Attributes:
        title: What was checked.
        state: What came of it; `not known` where the run cannot tell.
        fact: The numbers, in words.
        items: What the fact speaks of, each as its name, which is people's text, and the rest of its line.
    """

    title: str
    state: State
    fact: str
    items: tuple[tuple[str, str], ...] = ()


def context(subject: Subject) -> dict[str, Any]:
    """What the template is given."""
    checks = compute(subject.results)
    return {"checks": checks, "summary": summary_line(checks)}


def compute(results: Results) -> tuple[Check, ...]:
    """All checks, in the order of the page."""
    return tuple(check(results) for check in _CHECKS)


def summary_line(checks: Sequence[Check]) -> str:
    """Such as `8 of 10 checks passed, 2 warnings`."""
    count = Counter(check.state for check in checks)
    parts = [f"{count['pass']} of {plural(len(checks), 'check')} passed"]
    if count["fail"]:
        parts.append(f"{count['fail']} failed")
    if count["warn"]:
        parts.append(plural(count["warn"], "warning"))
    if count["not known"]:
        parts.append(f"{count['not known']} not known")
    return ", ".join(parts)


def _test_set(results: Results) -> Check:
    title = "The search never saw the test set"
    if not any(model.runs for model in results.models):
        return Check(title=title, state="pass", fact="Not opened: no model has been tested.")
    return Check(
        title=title,
        state="pass",
        fact=f"Its {plural(results.data.n_test, 'image')} were opened once, after hyperparameters, epochs and seeds "
        "had been chosen on validation images. Other runs on the same images are not counted here.",
    )


def _copies(results: Results) -> Check:
    title, data = "No copies across the parts", results.data
    tests = plural(data.n_test, "test image")
    n_dropped = data.n_dropped_copies
    copies = plural(n_dropped, "copy of a test image", "copies of test images")
    left_out = f" Left out of training: {copies}." if n_dropped else ""
    if data.n_test_copies is not None:
        n, n_near = data.n_test_copies, data.n_test_near_copies
        near = "" if n_near is None else f", and {integer(n_near)} a near copy"
        fact = f"Of {tests} {integer(n)} have an identical image among those that trained or validated{near}.{left_out}"
        state: State = "pass" if not n and not n_near else "fail" if n > MANY_COPIES * data.n_test else "warn"
        return Check(title=title, state=state, fact=fact)
    if data.n_test_distinct is None:
        return Check(title=title, state="not known", fact=f"Nobody counted copies of test images.{left_out}")
    if data.n_test_distinct < data.n_test and not n_dropped:
        n_other = integer(data.n_test - data.n_test_distinct)
        fact = f"Of {tests} {n_other} repeat another one, carry two labels, or have a copy in the training data."
        return Check(title=title, state="warn", fact=fact)
    fact = f"Of {tests} {integer(data.n_test_distinct)} have one label and no copy in the data as given.{left_out}"
    return Check(title=title, state="pass", fact=fact)


def _enough_images(results: Results) -> Check:
    title, winner = "Enough test images", winner_of(results)
    if winner is None:
        fact = f"{_NOT_TESTED} {plural(results.data.n_test, 'image')} wait for it."
        return Check(title=title, state="not known", fact=fact)
    ends, width = interval(winner.low, winner.high), 100 * (winner.high - winner.low)
    return Check(
        title=title,
        state="warn" if winner.n < FEW_TEST_IMAGES else "pass",
        fact=f"On {plural(winner.n, 'image')} the 95 % interval of the winner's accuracy is {decimal(width, 1)} points "
        f"wide: {ends} %.",
    )


def _classes(results: Results) -> Check:
    title, data, guess = "Classes, and a constant guess", results.data, constant_guess(results)
    if not data.n_train or guess is None:
        return Check(title=title, state="not known", fact="There are no training or no test images.")
    most, fewest = max(data.train_counts), min(data.train_counts)
    ratio = class_ratio(data)
    items = tuple(
        (
            data.class_names[data.train_counts.index(count)],
            f"has {percent(count / data.n_train)} of the training images",
        )
        for count in dict.fromkeys((most, fewest))
    )
    constant = f"Always naming the most frequent class would have {percent(guess.share)} accuracy on the test set"
    state: State = "warn" if ratio > IMBALANCED else "pass"
    if guess.winner is None or guess.low is None:
        return Check(title=title, state=state, fact=f"{constant}.", items=items)
    if not guess.is_beaten:
        interval_begins = f"its 95 % interval begins at {percent(guess.low)}"
        fact = f"{constant}. The winner has {percent(guess.winner)}, and {interval_begins}: not clearly more."
        return Check(title=title, state="fail", fact=fact, items=items)
    fact = f"{constant}, the winner has {percent(guess.winner)}."
    if state == "warn":
        times = f"{decimal(ratio, 1)} times the images of the rarest"
        fact = f"{fact} The commonest class has {times}: accuracy says little of rare classes, macro F1 more."
    return Check(title=title, state=state, fact=fact, items=items)


def _failed(results: Results) -> Check:
    title, search = "Trials that failed", results.search
    if not search.n_trials:
        return Check(title=title, state="not known", fact="No trial has ended.")
    share = search.n_failed / search.n_trials
    n_rejected = search.n_rejected
    rejected = f" Left out before, since they cannot be built: {plural(n_rejected, 'setting')}." if n_rejected else ""
    return Check(
        title=title,
        state="fail" if share > MOST_FAILED else "warn" if share > MANY_FAILED else "pass",
        fact=f"{integer(search.n_failed)} of {plural(search.n_trials, 'trial')} ({percent(share)}).{rejected}",
    )


def _edges(results: Results) -> Check:
    title, found, of = "Best values inside their ranges", edges(results.search), with_edges(results.search)
    if not of:
        return Check(title=title, state="pass", fact="No searched value has an order and more than two values.")
    if not found:
        return Check(
            title=title, state="pass", fact=f"None of {plural(len(of), 'value')} with an order lies on an edge."
        )
    return Check(
        title=title,
        state="warn",
        fact=f"On an edge of what was searched: {len(found)} of {plural(len(of), 'value')} with an order. A better one "
        "may lie beyond; where there are few values to choose from, the end may be chance.",
        items=tuple((edge.parameter.name, edge.words) for edge in found),
    )


def _last_epoch(results: Results) -> Check:
    title, winner = "Training ran long enough", winner_of(results)
    if winner is None or not winner.kept.epochs:
        return Check(title=title, state="not known", fact=_NOT_TESTED)
    last, ceiling = winner.kept.epochs[-1].epoch, winner.result.max_epochs
    if not is_cut_off(winner):
        fact = f"The kept retraining was best in epoch {winner.kept.best_epoch} of {last}, with a ceiling of {ceiling}."
        return Check(title=title, state="pass", fact=fact)
    why = "its ceiling" if last >= ceiling else f"short of its ceiling of {ceiling}"
    fact = f"The kept retraining was best in its last epoch, {last}, {why}: it may still have been improving."
    return Check(title=title, state="warn", fact=fact)


def _seeds(results: Results) -> Check:
    title, winner = "Trainings repeated with other seeds", winner_of(results)
    if winner is None:
        return Check(title=title, state="not known", fact=_NOT_TESTED)
    summaries = [s for s in summarise(results.models) if s.result.in_verdict]
    counts = [len(s.result.runs) for s in summaries]
    if min(counts) == 1:
        fact = (
            f"Trained once: {counts.count(1)} of {plural(len(counts), 'model')} in the verdict. A real difference "
            "cannot be told from the luck of a seed."
        )
        return Check(title=title, state="warn", fact=fact)
    scores = [run.test.accuracy for run in winner.result.runs]
    spread = f"the winner's differ by {decimal(100 * (max(scores) - min(scores)), 1)} points of test accuracy"
    return Check(title=title, state="pass", fact=f"At least {min(counts)} of each model in the verdict; {spread}.")


def _weights(results: Results) -> Check:
    title = "Weights that were really used"
    found = [(model, weights) for model in results.models if (weights := weights_of(model)) is not None]
    if not results.models:
        return Check(title=title, state="not known", fact=_NOT_TESTED)
    if not found:
        fact = "No pretrained network was compared; all began from random weights."
        return Check(title=title, state="pass", fact=fact)
    items = tuple((model.title, _ORIGINS.get(weights, "began from weights of your own")) for model, weights in found)
    n_scratch = sum(weights == "none" for _, weights in found)
    if n_scratch:
        fact = f"From scratch: {n_scratch} of {plural(len(found), 'backbone')}. That is not such a network at its best."
        return Check(title=title, state="warn", fact=fact, items=items)
    return Check(title=title, state="pass", fact=f"{plural(len(found), 'backbone')}, pretrained.", items=items)


def _search_noise(results: Results) -> Check:
    title, winner, search = "The search's best score held", winner_of(results), results.search
    better = "higher" if search.direction == "max" else "lower"
    trials = plural(search.n_trials, "trial")
    best = f"({better} is better): {decimal(search.best_score, 4)} in the search, best of {trials}"
    if winner is None:
        fact = "The winner was not trained again; the best of many validation scores is optimistic."
        return Check(title=title, state="not known", fact=fact, items=((search.objective, best),))
    kept, n = winner.kept.validation_score, results.data.n_validation
    again = f"{decimal(kept, 4)} when trained again, best of {plural(len(winner.result.runs), 'seed')}"
    yardstick, noise = _validation_noise(kept, n, search.direction)
    items = ((search.objective, f"{best}; {again}"),)
    gap = optimism(results, winner)
    if not isfinite(gap):
        return Check(title=title, state="not known", fact="The two cannot be compared.", items=items)
    has_sunk = gap > noise
    fact = (
        f"The winner, trained again, is worse on validation by more than {yardstick}: its score was luck in part."
        if has_sunk
        else f"The winner, trained again, is within {yardstick} of it on validation, or better."
    )
    return Check(title=title, state="warn" if has_sunk else "pass", fact=fact, items=items)


def _validation_noise(score: float, n: int, direction: str) -> tuple[str, float]:
    """What a difference of two validation scores may be by chance, and what that is called."""
    if direction == "max" and 0 <= score <= 1 and n:
        # A score such as accuracy is a share of n images.
        return f"two standard errors on {plural(n, 'validation image')}", 2 * sqrt(score * (1 - score) / n)
    return "a tenth", 0.1 * abs(score)


_CHECKS: tuple[Callable[[Results], Check], ...] = (
    _test_set,
    _copies,
    _enough_images,
    _classes,
    _seeds,
    _search_noise,
    _edges,
    _last_epoch,
    _failed,
    _weights,
)
