"""The outer folds of nested cross-validation taken together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from tuner.metrics.classification import wilson_interval
from tuner.records.nested_results import NestedResults, OuterFold, PooledModel, WinningValues
from tuner.records.results import ModelResult, Results


def pool(runs: Sequence[Results], folders: Sequence[str], command: str) -> NestedResults:
    """Pool the test scores of the outer folds.

    Args:
        runs: The results of one run per outer fold, in order; each was tested on its own part of
            the same data.
        folders: The runs' folders.
        command: The command line.
    """
    first = runs[0]
    found = zip(runs, folders, strict=True)
    # A model that is another one in some fold, such as EfficientNetB2 without its weights, has
    # another title there.
    titles = dict.fromkeys((model.name, _title(model, run)) for run in runs for model in run.models)
    return NestedResults(
        dataset=first.data.name,
        title=first.data.title,
        fingerprint=first.data.fingerprint,
        seed=first.run.seed,
        preset=first.run.preset,
        command=command,
        objective=first.search.objective,
        folds=tuple(
            OuterFold(
                folder=folder,
                n_test=run.data.n_test,
                best_score=run.search.best_score,
                duration_s=run.run.duration_s,
            )
            for run, folder in found
        ),
        models=tuple(_pooled(runs, name, title) for name, title in titles),
        winners=tuple(_winning(runs, name) for name in first.search.searched),
    )


def _pooled(runs: Sequence[Results], name: str, title: str) -> PooledModel:
    accuracies = tuple(_accuracy(run, name, title) for run in runs)
    tested = [
        (a, run.data.n_test) for a, run in zip(accuracies, runs, strict=True) if a is not None
    ]
    n, n_right = sum(n for _, n in tested), sum(a * n for a, n in tested)
    # Sums of floats may pass n by a rounding.
    low, high = wilson_interval(min(n_right, n), n)
    return PooledModel(
        name=name,
        title=title,
        n=n,
        accuracy=min(n_right / n, 1.0) if n else None,
        accuracy_low=low,
        accuracy_high=high,
        fold_accuracies=accuracies,
    )


def _accuracy(run: Results, name: str, title: str) -> float | None:
    """Mean over the seeds; None where the model is not there, or was not trained."""
    found = (model for model in run.models if (model.name, _title(model, run)) == (name, title))
    runs = next((model.runs for model in found), ())
    return fmean(one.test.accuracy for one in runs) if runs else None


def _title(model: ModelResult, run: Results) -> str:
    """The model's title; winners belong together, whichever of several families they are of."""
    return "Tuned" if run.search.families and model.name == "tuned" else model.title


def _winning(runs: Sequence[Results], name: str) -> WinningValues:
    values = Counter(
        run.search.best_setting[name]
        for run in runs
        if name in {one.name for one in run.search.chosen}
    )
    return WinningValues(name=name, counts=tuple(values.most_common()))
