"""Confusion matrices, most confused pairs and the scores of each class."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.report.fixtures import results
from tests.report.sections.prediction_errors.test_reliability import errors_section
from tuner.metrics.classification import wilson_interval
from tuner.report.sections.prediction_errors import confusion


def test_matrix_rows_sum_to_the_class_counts_and_its_trace_is_the_accuracy() -> None:
    run = results()
    for model in confusion.compute(run).models:
        assert (
            tuple(sum(cell.count for cell in row) for row in model.matrix) == run.data.test_counts
        )
        right = sum(model.matrix[i][i].count for i in range(7))
        assert right / 600 == pytest.approx(model.summary.kept.test.accuracy)
        assert all(sum(cell.share or 0 for cell in row) == pytest.approx(1) for row in model.matrix)


def test_a_class_without_test_images_has_counts_and_no_shares() -> None:
    assert [cell.share for cell in confusion.shares([[0, 0], [1, 3]])[0]] == [None, None]


def test_shades_run_from_none_to_all_of_the_row() -> None:
    assert [cell.css_class for cell in confusion.shares([[0, 1, 19], [5, 5, 0], [0, 0, 7]])[0]] == [
        "h0",
        "h0",
        "h10",
    ]


def test_most_confused_pairs_come_by_images_and_never_from_the_diagonal() -> None:
    pairs = confusion.most_confused([[90, 10, 0], [3, 5, 2], [0, 10, 10]])
    assert [(p.truth, p.predicted, p.count, p.share) for p in pairs] == [
        (2, 1, 10, 0.5),
        (0, 1, 10, 0.1),
        (1, 0, 3, 0.3),
        (1, 2, 2, 0.2),
    ]


def test_difference_is_tuned_minus_baseline_in_shares() -> None:
    found = confusion.compute(results(3))
    tuned, baseline = found.models[0].matrix, found.models[1].matrix
    assert found.difference[0][1].value == pytest.approx(
        (tuned[0][1].share or 0) - (baseline[0][1].share or 0)
    )
    assert [
        confusion.ShareDifference(value=v).css_class for v in (0.0, 0.019, 0.05, -0.2, 0.9)
    ] == [
        "",
        "",
        "p2",
        "n4",
        "p5",
    ]


def test_above_twenty_classes_pairs_and_class_scores_stand_for_the_matrix() -> None:
    found = confusion.compute(results(21))
    assert found.difference == ()
    assert all(
        model.matrix == () and len(model.classes) == 21 and model.pairs for model in found.models
    )


def test_recall_has_the_wilson_interval_of_the_class() -> None:
    row = confusion.compute(results(3)).models[0].classes[0]
    low, high = wilson_interval(round(row.scores.recall * row.scores.n), row.scores.n)
    assert (row.recall_low, row.recall_high) == (low, high)


def test_precision_has_the_wilson_interval_of_what_was_predicted() -> None:
    run = results()
    row = confusion.compute(run).models[0].classes[2]
    kept = next(one for one in run.models[0].runs if one.is_kept)
    assert row.n_predicted == sum(line[2] for line in kept.test.confusion)
    assert row.precision_low < row.scores.precision < row.precision_high
    assert row.scores.precision == kept.test.confusion[2][2] / row.n_predicted


def test_a_class_that_was_never_predicted_has_no_precision() -> None:
    run = results(n_classes=2, n_test=10)
    test = replace(run.models[0].runs[0].test, confusion=((5, 0), (5, 0)))
    models = tuple(
        replace(m, runs=tuple(replace(one, test=test) for one in m.runs)) for m in run.models
    )
    row = confusion.compute(replace(run, models=models)).models[0].classes[1]
    assert (row.n_predicted, row.precision_low, row.precision_high) == (0, 0.0, 1.0)
    section = errors_section(replace(run, models=models))
    cells = re.sub(r"<td[^>]*>", "|", section)
    assert "|0</td>|–</td>|–</td>" in cells
