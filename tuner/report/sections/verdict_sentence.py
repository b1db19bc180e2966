"""The verdict in words: never stronger than the tests behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tuner.metrics.score_text import percent, score_text
from tuner.records.comparison import Difference
from tuner.records.results import Results
from tuner.records.search_summary import Finalist, SearchSummary
from tuner.report.model_summary import (
    ModelSummary,
    metric_words,
    validation_words,
)
from tuner.report.text import as_sentence, interval, plural, points_interval

# How the sentence about the baseline begins; about another model it says no more than the verdict.
_OPENINGS = {"better": "Tuning helped", "worse": "Tuning did not help"}
# Of a winner that is a starting setting, tuning is not the cause.
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
    return as_sentence(main.reason) if main and main.reason else ""


def choice(results: Results) -> str:
    """How the winner was chosen, in sentences; empty where that is plain."""
    return " ".join(map(as_sentence, _choice(results.search)))


def _choice(search: SearchSummary) -> Iterator[str]:
    if search.best_origin:
        within = " within the limits" if search.choose else ""
        yield (
            f"the winner is a starting setting, {search.best_origin}: no setting from the"
            f" search{within} proved better on validation images"
        )
    if search.finalists:
        first, *others = sorted(
            search.finalists, key=lambda one: one.trial_id != search.best_trial_id
        )
        scores = f"{metric_words(search.objective)} {_smoothed(first, search.objective)}"
        listed = [
            f"trial {_trial(first)}, {scores}",
            *(f"{_trial(one)}, {_smoothed(one, search.objective)}" for one in others),
        ]
        yield (
            f"{len(listed)} trials were retrained to choose the winner: {'; '.join(listed)}. These"
            " scores are smoothed over neighbouring epochs"
        )


def _trial(one: Finalist) -> str:
    return f"{one.trial_id} ({one.origin})" if one.origin else one.trial_id


def _smoothed(one: Finalist, objective: str) -> str:
    return "failed" if one.score is None else score_text(one.score, objective)


def _without_models(results: Results) -> str:
    search = results.search
    tested = "was tested" if results.run.is_complete else "has been tested yet"
    start = {
        "complete": "Search only",
        "searching": f"In progress, {search.n_trials:,} of {search.n_planned:,} trials",
        "retraining": "In progress, the search has ended",
    }.get(results.run.state, results.run.state.capitalize())
    return (
        f"{start}: no model {tested}. The best {metric_words(search.objective)} in the search is"
        f" {score_text(search.best_score, search.objective)} on {validation_words(results.data)}"
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
    if other.reason and other.verdict in ("better", "worse"):
        # A tested verdict has no reason; one that rests on an assumption states it.
        yield _words(f" {as_sentence(other.reason)}")
    elif other.verdict == "inconclusive" and 1 in other.n_seeds:
        # Its interval may exclude zero, as it covers the images alone.
        yield _words(" One of the models was trained with one seed only.")


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
