"""The page of all runs: every run of every data set, and which of them may be compared."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from markupsafe import Markup

from tuner.records.comparison import Verdict
from tuner.records.nested_results import NestedResults, PooledModel
from tuner.records.results import PresetName, Results
from tuner.records.scores import Estimate
from tuner.report.html_document import Body, make_environment, render_document
from tuner.report.model_summary import ModelSummary, state_words, summarise
from tuner.report.text import plural

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedRun:
    """A run, or a nested cross-validation, as it lies on disk.

    Attributes:
        dataset: Name of the folder that holds the data set's runs.
        run_id: Name of the run's folder, or of the file.
        link: From the page to its report, percent-encoded; None where there is none.
        data_link: The same, to the page of the data doctor.
        started_at: ISO 8601, UTC; empty where it is not known.
        results: Its numbers; None where they cannot be read.
        problem: Why there are none; empty otherwise.
        test_part: Which images tested, as a hash; None where it is not known.
        outer_fold: Number of the outer fold of a nested cross-validation that it is; None for an
            ordinary run.
    """

    dataset: str
    run_id: str
    link: str | None
    data_link: str | None
    started_at: str
    results: Results | NestedResults | None
    problem: str = ""
    test_part: str | None = None
    outer_fold: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A run in the table; None, or an empty text, where there is nothing to say.

    Attributes:
        run_id: Name of the run's folder, or of the file.
        link: From the page to its report.
        started_at: ISO 8601, UTC.
        state: `complete`, `in progress`, `interrupted`, `terminated`, `search only`, `nested`, or
            `no results`.
        note: What else must be known, such as why there are no results.
        model: What was searched.
        preset: `quick`, `standard` or `thorough`.
        limit: Of the training and validation images.
        n_test: Test images.
        winner: Test accuracy, its mean over the seeds, with the 95 % Wilson interval.
        opponent: The same of the model that the verdict compares it with.
        opponent_title: What tables call that model.
        difference: Of the two, with its 95 % interval.
        verdict: What may be said of it.
        seeds: Retrainings of the winner, and of the other one where they differ.
        n_epochs: Epochs of the search and of all retrainings.
        duration_s: Seconds of the whole run.
        not_comparable: Why it may not be compared with the data set's newest complete run; empty
            where it may.
    """

    run_id: str
    link: str | None
    started_at: str
    state: str
    note: str
    model: str = ""
    preset: PresetName | Literal[""] = ""
    limit: int | None = None
    n_test: int | None = None
    winner: Estimate | None = None
    opponent: Estimate | None = None
    opponent_title: str = ""
    difference: Estimate | None = None
    verdict: Verdict | Literal[""] = ""
    seeds: str = ""
    n_epochs: int | None = None
    duration_s: float | None = None
    not_comparable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The runs of one data set.

    Attributes:
        name: Name of their folder.
        title: What reports call it.
        data_link: From the page to that of the data doctor; None where there is none.
        rows: Newest first.
        newest: The newest complete run, which decides what may be compared; None where there is
            none.
        newest_link: From the page to the report of that run; None where there is none.
    """

    name: str
    title: str
    data_link: str | None
    rows: tuple[Row, ...]
    newest: str | None
    newest_link: str | None


def render_index(datasets: Sequence[DataSet]) -> str:
    """The page.

    Args:
        datasets: From `compute`.

    Returns:
        A complete HTML document; the same bytes for the same runs.
    """
    environment = make_environment("tuner.report")
    html = {
        name: environment.get_template(f"{name}.html").render(datasets=datasets)
        for name in ("runs_page", "runs_page_data")
    }
    n_runs = sum(len(dataset.rows) for dataset in datasets)
    return render_document(
        environment,
        title="All runs – tuner",
        overline="tuner reports",
        heading="All runs",
        bodies=[
            Body(name="runs", heading="Runs", html=Markup(html["runs_page"])),
            Body(name="data", heading="Data sets", html=Markup(html["runs_page_data"])),
        ],
        footer=Markup("{} of {}").format(plural(n_runs, "run"), plural(len(datasets), "data set")),
        styles=[("tuner.report", "runs_page.css")],
    )


def compute(runs: Sequence[IndexedRun]) -> tuple[DataSet, ...]:
    """The runs by data set, in the order of the data sets' names, and newest first."""
    ordered = sorted(runs, key=lambda run: (run.started_at, run.run_id), reverse=True)
    ordered.sort(key=lambda run: run.dataset)
    return tuple(
        _dataset(name, tuple(group)) for name, group in groupby(ordered, lambda run: run.dataset)
    )


def _dataset(name: str, runs: Sequence[IndexedRun]) -> DataSet:
    newest = next((run for run in runs if _is_reference(run)), None)
    return DataSet(
        name=name,
        title=next((_title(run.results) for run in runs if run.results), "") or name,
        data_link=next((run.data_link for run in runs if run.data_link), None),
        rows=tuple(_row(run, newest) for run in runs),
        newest=newest.run_id if newest else None,
        newest_link=newest.link if newest else None,
    )


def _title(results: Results | NestedResults) -> str:
    return results.title if isinstance(results, NestedResults) else results.data.title


def _is_reference(run: IndexedRun) -> bool:
    """Whether it is an ordinary run that has been tested.

    An outer fold tests other images than all other runs.
    """
    found = run.results
    return (
        isinstance(found, Results)
        and found.run.is_complete
        and bool(found.models)
        and run.outer_fold is None
    )


def _row(run: IndexedRun, newest: IndexedRun | None) -> Row:
    """One row; numbers that do not fit together are no reason to lose the others."""
    row = Row(
        run_id=run.run_id,
        link=run.link,
        started_at=run.started_at,
        state="no results",
        note=run.problem,
    )
    try:
        reasons = "; ".join(_differences(run, newest)) if newest and run.results else ""
        match run.results:
            case Results() as results:
                return replace(_of_run(row, results, run.outer_fold), not_comparable=reasons)
            case NestedResults() as nested:
                return replace(_of_nested(row, nested), not_comparable=reasons)
    except Exception as error:
        LOG.exception("a row of the page of all runs failed")
        return replace(row, note=f"its numbers are inconsistent: {type(error).__name__}: {error}")
    return row


def _of_run(row: Row, results: Results, outer_fold: int | None) -> Row:
    main, search = results.main_difference, results.search
    scored = {summary.result.name: summary for summary in summarise(results.models)}
    winner, opponent = scored.get("tuned"), scored.get(main.opponent if main else "baseline")
    n_seeds = [len(summary.result.runs) for summary in (winner, opponent) if summary]
    ended = "complete" if results.models else "search only"
    return replace(
        row,
        state=ended if results.run.is_complete else state_words(results.run.state),
        note=f"outer fold {outer_fold} of a nested cross-validation" if outer_fold else "",
        model=search.winner_model,
        preset=results.run.preset,
        limit=results.data.limit,
        n_test=results.data.n_test,
        winner=_accuracy(winner),
        opponent=_accuracy(opponent),
        opponent_title=opponent.result.title if opponent else "",
        difference=main.accuracy if main else None,
        verdict=main.verdict if main else "",
        seeds=" / ".join(map(str, dict.fromkeys(n_seeds))),
        n_epochs=search.n_epochs
        + sum(len(one.epochs) for model in results.models for one in model.runs),
        duration_s=results.run.duration_s,
    )


def _accuracy(summary: ModelSummary | None) -> Estimate | None:
    return Estimate(value=summary.accuracy, low=summary.low, high=summary.high) if summary else None


def _of_nested(row: Row, nested: NestedResults) -> Row:
    models = {model.name: model for model in nested.models}
    opponent = models.get("baseline")
    return replace(
        row,
        state="nested",
        note=(
            f"{plural(len(nested.folds), 'outer fold')}, each image tested once; the difference is"
            " not tested"
        ),
        preset=nested.preset,
        n_test=nested.n_test,
        winner=_pooled_accuracy(models.get("tuned")),
        opponent=_pooled_accuracy(opponent),
        opponent_title=opponent.title if opponent else "",
        duration_s=sum(fold.duration_s for fold in nested.folds),
    )


def _pooled_accuracy(model: PooledModel | None) -> Estimate | None:
    if model is None or model.accuracy is None:
        return None
    return Estimate(value=model.accuracy, low=model.accuracy_low, high=model.accuracy_high)


def _differences(run: IndexedRun, newest: IndexedRun) -> Iterator[str]:
    """What differs from the newest complete run: data, test part or metric.

    Other data always have another test part.
    """
    if _fingerprint(run) != _fingerprint(newest):
        yield "other images, labels or classes"
    elif not _have_one_test_part(run, newest):
        yield "another test part"
    if _objective(run) != _objective(newest):
        yield f"another search metric, {_objective(run)}"


def _fingerprint(run: IndexedRun) -> str:
    found = run.results
    return (
        found.data.fingerprint if isinstance(found, Results) else found.fingerprint if found else ""
    )


def _objective(run: IndexedRun) -> str:
    found = run.results
    return (
        found.search.objective if isinstance(found, Results) else found.objective if found else ""
    )


def _have_one_test_part(run: IndexedRun, newest: IndexedRun) -> bool:
    """By their hashes, or by the images per class where one is not known.

    Nested cross-validation tests every image.
    """
    if run.test_part and newest.test_part:
        return run.test_part == newest.test_part
    one, other = run.results, newest.results
    return (
        isinstance(one, Results)
        and isinstance(other, Results)
        and one.data.test_counts == other.data.test_counts
    )
