"""Section "Verdict": one generated sentence, the scores that it speaks of, what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner.records.comparison import Difference
from tuner.records.results import ModelResult, Results
from tuner.report.command_lines import resume_command
from tuner.report.facts import has_many_copies, n_copies
from tuner.report.model_summary import ModelSummary, state_words, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.verdict_sentence import (
    Part,
    choice,
    details,
    headline,
    plain_text,
    reason,
)
from tuner.report.text import duration, integer, plural, without_folders

_ROUNDED = "Differences are computed before rounding."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """A model's headline score.

    Attributes:
        summary: The model.
        difference: The winner against it; None for the winner itself.
        low_position: Lower end of its interval on the cards' common axis, 0 to 100.
        position: Its accuracy there.
        high_position: Upper end.
    """

    summary: ModelSummary
    difference: Difference | None
    low_position: float
    position: float
    high_position: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictSection:
    """What the page says first.

    Attributes:
        headline: The sentence, in its first part.
        details: Why it is not a stronger one, and what is to be said of other models, each a
            paragraph.
        reason: The first of these alone: the cards have the others.
        choice: How the winner was chosen, where that is not plain.
        cards: Models that the verdict speaks of, then those it leaves out.
        axis: Ends of the cards' common axis, shares of 1.
        untrained: Models without a single finished retraining.
        cost: What was spent, as name and value.
        badges: What limits the reading of the scores.
        noise: What the intervals of the differences account for; empty where there is none.
        resume: The command that resumes a run that has not ended; None where it has.
    """

    headline: tuple[Part, ...]
    details: tuple[tuple[Part, ...], ...]
    reason: str
    choice: str
    cards: tuple[ScoreCard, ...]
    axis: tuple[float, float]
    untrained: tuple[ModelResult, ...]
    cost: tuple[tuple[str, str], ...]
    badges: tuple[str, ...]
    noise: str
    resume: str | None

    @property
    def has_seeds(self) -> bool:
        """Whether a model was trained more than once."""
        return any(len(card.summary.result.runs) > 1 for card in self.cards)

    @property
    def sentence(self) -> str:
        """The verdict as plain text."""
        return " ".join(plain_text(parts) for parts in (self.headline, *self.details))


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    return {"verdict": compute(reported.results)}


def compute(results: Results) -> VerdictSection:
    """The verdict of a run; its words are those of the tests in `Results.differences`."""
    summaries = summarise(results.models)
    spoken = sorted(summaries, key=lambda s: not s.result.in_verdict)
    axis = _axis(summaries)
    by_name = {s.result.name: s for s in spoken}
    differences = {difference.opponent: difference for difference in results.differences}
    return VerdictSection(
        headline=tuple(headline(results, by_name)),
        details=tuple(details(results, by_name)),
        reason=reason(results),
        choice=choice(results),
        cards=tuple(_card(s, differences.get(s.result.name), axis) for s in spoken),
        axis=axis,
        untrained=tuple(m for m in results.models if not m.runs),
        cost=_cost(results),
        badges=_badges(results),
        noise=f"{_noise(results.differences)}{_open(results)}",
        resume=(
            None
            if results.run.is_complete
            else without_folders(resume_command(results.run.command))
        ),
    )


def _open(results: Results) -> str:
    """What "inconclusive" on a card means; empty where no card says it."""
    said = {model.name for model in results.models if model.in_verdict}
    if not any(d.opponent in said and d.verdict == "inconclusive" for d in results.differences):
        return ""
    return " “Inconclusive”: this run cannot tell which is better. It does not mean “equal”."


def _noise(differences: Sequence[Difference]) -> str:
    with_seeds = [difference.seed_sd is not None for difference in differences]
    if not differences:
        return ""
    if all(with_seeds):
        return f"{_ROUNDED} Their intervals account for both test images and seeds."
    if any(with_seeds):
        return (
            f"{_ROUNDED} Their intervals account for test images, and for seeds if both models have"
            " several."
        )
    return f"{_ROUNDED} Their intervals account for test images only."


def _axis(summaries: tuple[ModelSummary, ...]) -> tuple[float, float]:
    """The intervals' range, widened to multiples of five per cent."""
    if not summaries:
        return 0.0, 1.0
    low = math.floor(20 * min(s.low for s in summaries)) / 20
    high = math.ceil(20 * max(s.high for s in summaries)) / 20
    return low, high


def _card(
    summary: ModelSummary, difference: Difference | None, axis: tuple[float, float]
) -> ScoreCard:
    low, high = axis

    def position(share: float) -> float:
        return round(100 * (share - low) / (high - low), 2)

    return ScoreCard(
        summary=summary,
        difference=difference,
        low_position=position(summary.low),
        position=position(summary.accuracy),
        high_position=position(summary.high),
    )


def _cost(results: Results) -> tuple[tuple[str, str], ...]:
    search = results.search
    # Rows that were made of what others trained have no epochs of their own.
    runs = [run for model in results.models for run in model.runs if run.epochs]
    searched = (
        f"{plural(search.n_trials, 'trial')}, {plural(search.n_epochs, 'epoch')},"
        f" {duration(search.duration_s)}"
    )
    retrained = (
        f"{plural(len(runs), 'training')}, {plural(sum(len(run.epochs) for run in runs), 'epoch')},"
        f" {duration(sum(run.duration_s for run in runs))} of training{_summed(results)}"
    )
    return (
        ("Search", searched),
        *((("Retraining", retrained),) if results.models else ()),
        ("Whole run", duration(results.run.duration_s)),
    )


def _summed(results: Results) -> str:
    """That trainings side by side take less time than the sum of their times."""
    n_workers = results.run.hardware.get("workers", "1")
    return "" if n_workers == "1" else f", summed over {n_workers} workers"


def _badges(results: Results) -> tuple[str, ...]:
    run, data, search = results.run, results.data, results.search
    badges = [f"preset {run.preset}", f"seed {run.seed}"]
    if not run.is_complete:
        badges.insert(0, state_words(run.state))
    if data.limit is not None:
        badges.append(f"limited to {integer(data.limit)} images")
    if has_many_copies(data):
        n = integer(n_copies(data))
        badges.append(
            f"{n} of {plural(data.n_test, 'test image')} nearly identical to training or validation"
            " images"
        )
    if search.n_stopped:
        badges.append(
            f"{integer(search.n_stopped)} of {plural(search.n_trials, 'trial')} stopped by the time"
            " budget"
        )
    if n_failed := search.n_failed - search.n_over:
        badges.append(f"{integer(n_failed)} of {plural(search.n_trials, 'trial')} failed")
    badges += [f"constraint: {bound}" for bound in search.constraints]
    if search.n_rejected:
        badges.append(f"{plural(search.n_rejected, 'setting')} skipped: cannot be built")
    if search.n_too_long:
        badges.append(f"{plural(search.n_too_long, 'setting')} skipped: too many multiply-adds")
    if data.n_unreadable:
        badges.append(f"{plural(data.n_unreadable, 'unreadable image')} skipped")
    return tuple(badges)
