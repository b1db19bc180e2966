"""Mean scores over the seeds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markupsafe import Markup

from tuner.metrics.classification import wilson_interval
from tuner.metrics.score_text import percent
from tuner.report import text
from tuner.report.model_summary import summarise
from tuner.report.sections import model_comparison

from .fixtures import class_names, model_result, page, results, seed_result, trials


def test_headline_is_the_mean_over_seeds_with_the_wilson_interval_of_that_mean() -> None:
    (summary,) = summarise([model_result(names=class_names(3))])
    accuracies = [run.test.accuracy for run in summary.result.runs]
    assert summary.accuracy == pytest.approx(sum(accuracies) / 3)
    assert (summary.low, summary.high) == wilson_interval(summary.accuracy * 600, 600)


def test_the_kept_seed_is_the_marked_one_whatever_its_test_accuracy() -> None:
    model = model_result(names=class_names(3))
    worst = min(model.runs, key=lambda run: run.test.accuracy)
    runs = tuple(replace(run, is_kept=run is worst) for run in model.runs)
    (summary,) = summarise([replace(model, runs=runs)])
    assert summary.kept.seed == worst.seed


def test_score_on_new_images_stands_beside_the_official_one() -> None:
    run = results()
    names = run.data.class_names
    other = seed_result(names, 1.0, 9, n_test=500).test
    runs = tuple(replace(seed, test_distinct=other) for seed in run.models[0].runs)
    run = replace(run, models=(replace(run.models[0], runs=runs), *run.models[1:]))
    found = model_comparison.compute(run)
    assert (found.n, found.n_distinct) == (600, 500)
    first, second, *_ = found.summaries
    assert first.distinct is not None
    assert first.distinct.mean == pytest.approx(other.accuracy)
    assert (first.distinct.low, first.distinct.high) == pytest.approx(
        wilson_interval(other.accuracy * 500, 500)
    )
    assert second.distinct is None
    source = page(run, trials())
    interval = text.interval(first.distinct.low, first.distinct.high)
    share = text.glued(Markup(percent(other.accuracy)))
    shown = f'{share} <span class="range">{interval}</span>'
    assert shown in source
    assert "New images are the 500 of them that have one label" in source
    assert "New images" not in page(results(), trials())
