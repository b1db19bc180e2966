"""Next steps that follow from the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tuner.metrics.score_text import decimal, percent
from tuner.records.results import PresetName, Results
from tuner.report.command_lines import has_option, rerun
from tuner.report.edges import override, worth_widening
from tuner.report.facts import (
    IMBALANCED,
    LARGE_GAP,
    MANY_FAILED,
    class_ratio,
    constant_guess,
    overfit_gap,
    winner_of,
)
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.next_steps.next_step import NextStep, remedy
from tuner.report.text import integer, plural, points
from tuner.space.constraints import breach_of
from tuner.space.definition import by_name
from tuner.space.vocabulary import BACKBONE_NAMES, VOCABULARIES

_SHOWN_EDGES = 3
# What can hold a run shorter than a preset would.
_LENGTHS = (
    *("--max-epochs", "--factor", "--max-trials", "--time-budget"),
    *("search.max_epochs", "search.factor", "search.max_trials", "search.max_total_epochs"),
)
# Epochs of the last rung with the preset `thorough`.
THOROUGH_EPOCHS = 81
# Against overfitting, and no danger to the class of an image; the first that was not searched is
# proposed.
_REGULARISERS = (
    "space.shift={type: float, min: 0.0, max: 0.15, step: 0.05}",
    "space.random_erasing={type: float, min: 0.0, max: 0.5, step: 0.25}",
    "space.dropout={type: float, min: 0.0, max: 0.6, step: 0.1}",
)


def no_better_than_a_guess(reported: ReportedRun) -> Iterator[NextStep]:
    """A winner not clearly above a constant guess needs a longer search, or another objective."""
    results, guess = reported.results, constant_guess(reported.results)
    if guess is None or guess.winner is None or guess.low is None or guess.is_beaten:
        return
    fact = (
        f"Always predicting the most frequent class scores {percent(guess.share)} on the test set."
        f" The winner scores {percent(guess.winner)}, and its interval starts at"
        f" {percent(guess.low)}."
    )
    if results.run.preset != "thorough":
        longer: PresetName = "standard" if results.run.preset == "quick" else "thorough"
        yield NextStep(action="Search and train longer", fact=fact, code=_longer(results, longer))
    is_imbalanced = class_ratio(results.data) > IMBALANCED
    if (
        is_imbalanced
        and results.search.objective != "val_macro_f1"
        and results.search.model in VOCABULARIES
    ):
        yield NextStep(
            action="Search for macro F1, which a constant guess cannot win",
            fact=fact,
            code=rerun(results.run.command, "--set", "objective=val_macro_f1"),
        )


def failed_trials(reported: ReportedRun) -> Iterator[NextStep]:
    """Many failed trials: a remedy for their commonest reason."""
    run, search = reported.results.run, reported.results.search
    n_failed = search.n_failed - search.n_over
    if not search.n_trials or n_failed <= MANY_FAILED * search.n_trials:
        return
    reasons = Counter(
        trial.error for trial in reported.trials if trial.error and breach_of(trial.error) is None
    )
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:1]
    reason = commonest[0][0] if commonest else ""
    action, options = remedy(reason) or (
        "Retry failed trials with another seed",
        ("--retries", "1"),
    )
    yield NextStep(
        action=action,
        fact=(
            f"{integer(n_failed)} of {plural(search.n_trials, 'trial')} failed"
            f"{', most often for this reason:' if reason else '.'}"
        ),
        code=rerun(run.command, *options),
        items=tuple((text, f"({plural(count, 'trial')})") for text, count in commonest),
    )


def limits(reported: ReportedRun) -> Iterator[NextStep]:
    """Fewer images than there are, or trials that ran out of time."""
    results, command = reported.results, reported.results.run.command
    facts, without = [], []
    if results.data.limit is not None and has_option(command, "--limit"):
        facts.append(
            f"Only {integer(results.data.limit)} images were used for training and validation"
        )
        without.append("--limit")
    if results.search.n_stopped and has_option(command, "--time-budget"):
        n_trials = plural(results.search.n_trials, "trial")
        facts.append(
            f"The time budget stopped {integer(results.search.n_stopped)} of {n_trials} before the"
            " last epoch"
        )
        without.append("--time-budget")
    if facts:
        yield NextStep(
            action="Lift the limit",
            fact=f"{'. '.join(facts)}.",
            code=rerun(command, without=without),
        )


def wider_ranges(reported: ReportedRun) -> Iterator[NextStep]:
    """Best values on an edge, as far as a wider range is likely to matter."""
    results = reported.results
    changes = [
        (edge, text)
        for edge in worth_widening(results.search, results.importance)
        if (text := override(edge, results.search))
    ]
    shown = changes[:_SHOWN_EDGES]
    if shown:
        options = [word for _, text in shown for word in ("--set", text)]
        yield NextStep(
            action="Search beyond the edge",
            fact=(
                f"The best of {plural(results.search.n_trials, 'trial')} has values at the edge of"
                " the searched ranges:"
            ),
            code=rerun(results.run.command, *options),
            items=tuple((edge.parameter.name, edge.words) for edge, _ in shown),
        )


def winning_backbone(reported: ReportedRun) -> Iterator[NextStep]:
    """A backbone that won among several families: alone it has all of the budget."""
    search, command = reported.results.search, reported.results.run.command
    if search.best_family in BACKBONE_NAMES:
        yield NextStep(
            action="Search the winning family alone",
            fact=(
                f"{search.best_family} won among {len(search.families)} families. On its own, it"
                " gets the whole search budget, and blocks of the network can be trained too. The"
                " command omits your changes of the space (`--space`, `--set`), because they belong"
                " to the other families."
            ),
            code=rerun(command, "--model", search.best_family, without=["--space", "--set"]),
        )


def less_overfitting(reported: ReportedRun) -> Iterator[NextStep]:
    """Clear overfitting: a regulariser that was not searched yet."""
    results, winner = reported.results, winner_of(reported.results)
    gap = overfit_gap(winner) if winner else None
    searched = {f"space.{name}" for name in by_name(results.search.of_winner)}
    proposals = [text for text in _REGULARISERS if text.partition("=")[0] not in searched]
    search = results.search
    # Of several families, `--set` changes the space of one.
    is_settable = search.model in VOCABULARIES and search.best_family in ("", search.model)
    if gap is None or gap < LARGE_GAP or not proposals or not is_settable:
        return
    yield NextStep(
        action="Search for augmentation" if "dropout" not in proposals[0] else "Search for dropout",
        fact=(
            f"The winner overfits: in its kept epoch, training accuracy is {decimal(100 * gap, 1)}"
            " points above validation accuracy."
        ),
        code=rerun(results.run.command, "--set", proposals[0]),
    )


def search_more(reported: ReportedRun) -> Iterator[NextStep]:
    """A winner that is not clearly better."""
    results, found = reported.results, reported.results.main_difference
    if (
        found
        and found.verdict in ("worse", "no clear difference")
        and results.run.preset != "thorough"
    ):
        low, high = found.accuracy.low, found.accuracy.high
        yield NextStep(
            action="Search longer",
            fact=(
                f"{plural(results.search.n_trials, 'trial')} found no clearly better setting:"
                f" {points(found.accuracy.value)} points of test accuracy, from {points(low)} to"
                f" {points(high)}."
            ),
            code=_longer(results, "thorough"),
        )


def _longer(results: Results, preset: PresetName) -> str:
    """The run again by another preset, without options that would hold it to a shorter search."""
    is_short = results.search.max_epochs < THOROUGH_EPOCHS
    # The preset `thorough` lifts a small ceiling by itself.
    ceiling = () if preset == "thorough" else ("retrain.epochs",)
    return rerun(
        results.run.command, "--preset", preset, without=(*_LENGTHS, *ceiling) if is_short else ()
    )
