"""The verdict in words: never stronger than the tests behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tuner.records.comparison import Difference
from tuner.records.results import Results
from tuner.records.search_summary import SearchSummary
from tuner.report.model_summary import ModelSummary, validation_words
from tuner.report.text import decimal, interval, percent, plural, points_interval

# How the sentence about the baseline begins; about another model it says no more than the verdict.
_OPENINGS = {"better": "Tuning helped", "worse": "Tuning did not help"}
# Where the winner is a setting that the search started with, tuning did neither.
_OPENINGS_WITHOUT_TUNING = {
    "better": "Better than the baseline",
    "worse": "Worse than the baseline",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of the sentence.

    Attributes:
        text: What it says.
        kind: `opening`, `name` (untrusted text), `number` (stays on one line) or `words`.
    """

    text: str
    kind: Literal["opening", "name", "number", "words"]


def plain_text(parts: Sequence[Part]) -> str:
    """The parts without their kinds."""
    return "".join(part.text for part in parts).strip()


def headline(results: Results, summaries: Mapping[str, ModelSummary]) -> Iterator[Part]:
    """What a run has shown of its winner, in a sentence.

    Args:
        results: The run.
        summaries: Of the models with scores, by name, those that the verdict speaks of first.
    """
    main = results.main_difference
    if not results.models:
        yield _words(_without_models(results))
    elif not summaries:
        yield _words("No model could be retrained, so nothing was tested.")
    elif not results.models[0].runs:
        yield _words(
            "The winner of the search could not be retrained, so there is nothing to compare."
        )
    elif main is None:
        first = next(iter(summaries.values()))
        yield from _score(first)
        yield _words(
            f" accuracy on {plural(first.n, 'test image')}; {_nothing_to_compare(results)}."
        )
    else:
        yield from _main(main, summaries, has_tuned=not results.search.best_origin)


def _nothing_to_compare(results: Results) -> str:
    if any(model.name == "baseline" for model in results.models):
        return "the baseline could not be trained, so this says nothing about tuning"
    if len(results.models) > 1:
        return "no other model is in the verdict; the notes below give the reasons"
    return "there is no other model to compare it with"


def details(results: Results, summaries: Mapping[str, ModelSummary]) -> Iterator[tuple[Part, ...]]:
    """Why the headline is not a stronger one, and what is to be said of other models, each alone.

    The arguments are the same.
    """
    main = results.main_difference
    yield from ((_words(said),) for said in (reason(results), choice(results)) if said)
    for other in results.differences:
        if other is not main and summaries[other.opponent].result.in_verdict:
            yield (_words("Against "), *_beside(other, summaries))


def reason(results: Results) -> str:
    """Why the headline is not a stronger one, in a sentence; empty where it is plain."""
    main = results.main_difference
    return _sentence(main.reason) if main and main.reason else ""


def choice(results: Results) -> str:
    """How the winner was chosen, in sentences; empty where that is plain."""
    return " ".join(map(_sentence, _choice(results.search)))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].removesuffix('.')}."


def _choice(search: SearchSummary) -> Iterator[str]:
    if search.best_origin:
        yield (
            f"the winner is a setting that the search started with ({search.best_origin}): no"
            " setting that the search proposed was chosen over it on validation images"
        )
    if search.finalists:
        scores = {one.trial_id: one.score for one in search.finalists}
        won = f"{search.best_trial_id}{_mean(scores.pop(search.best_trial_id, None))}"
        others = ", ".join(f"{trial_id}{_mean(score)}" for trial_id, score in scores.items())
        yield (
            f"the search retrained {plural(len(search.finalists), 'trial')} (those too close to"
            f" call, and the baseline's if it was tried). Trial {won} won with the best mean"
            f" {search.objective}, read from the epochs around the kept ones; the others: {others}"
        )


def _mean(score: float | None) -> str:
    return " (failed)" if score is None else f" ({decimal(score, 4)})"


def _without_models(results: Results) -> str:
    search = results.search
    start = {
        "complete": "Search only",
        "searching": f"In progress, {search.n_trials:,} of {search.n_planned:,} trials",
        "retraining": "In progress, the search has ended",
    }.get(results.run.state, results.run.state.capitalize())
    return (
        f"{start}: no model was tested. The best {search.objective} in the search is"
        f" {decimal(search.best_score, 4)} on {validation_words(results.data)}"
        f" ({'higher' if search.direction == 'max' else 'lower'} is better; trial"
        f" {search.best_trial_id}). This number is optimistic."
    )


def _main(
    main: Difference, summaries: Mapping[str, ModelSummary], *, has_tuned: bool
) -> Iterator[Part]:
    """Such as `Tuning helped: Tuned 68.8 % [...] against Baseline 65.8 % [...], +3.0 points`."""
    openings = _OPENINGS if has_tuned else _OPENINGS_WITHOUT_TUNING
    opening = openings.get(main.verdict) if main.opponent == "baseline" else None
    yield Part(text=opening or main.verdict.capitalize(), kind="opening")
    yield _words(": ")
    yield from _score(next(iter(summaries.values())))
    yield _words(" against ")
    yield from _score(summaries[main.opponent])
    yield _words(", ")
    yield _points(main)
    yield _words(f" on {plural(main.n, 'test image')}.")


def _beside(other: Difference, summaries: Mapping[str, ModelSummary]) -> Iterator[Part]:
    """Such as `EfficientNetB2: worse, -12.0 points [...]`."""
    yield _name(summaries[other.opponent])
    yield _words(f": {other.verdict}, ")
    yield _points(other)
    yield _words(".")


def _score(summary: ModelSummary) -> Iterator[Part]:
    yield _name(summary)
    yield _words(" ")
    yield Part(
        text=f"{percent(summary.accuracy)} {interval(summary.low, summary.high)}", kind="number"
    )


def _name(summary: ModelSummary) -> Part:
    return Part(text=summary.result.title, kind="name")


def _points(difference: Difference) -> Part:
    return Part(text=points_interval(difference.accuracy), kind="number")


def _words(text: str) -> Part:
    return Part(text=text, kind="words")
