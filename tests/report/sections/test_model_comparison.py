"""Models side by side: scores, and rows that train nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.report.differences import difference
from tests.report.fixtures import (
    page,
    results,
    trials,
)
from tuner.records.results import Results
from tuner.report.sections import curves, model_comparison, verdict


def test_models_without_scores_are_listed_apart() -> None:
    run = results()
    found = model_comparison.compute(
        replace(run, models=(run.models[0], replace(run.models[1], runs=(), error="boom")))
    )
    assert [s.result.name for s in found.summaries] == ["tuned"]
    assert [m.name for m in found.untrained] == ["baseline"]


def with_augmented_row() -> Results:
    """The winner's trainings scored once more: a row that trained nothing of its own."""
    run = results()
    tuned = run.models[0]
    runs = tuple(replace(one, epochs=(), duration_s=0.0) for one in tuned.runs)
    return replace(
        run, models=(*run.models, replace(tuned, name="tuned_tta", in_verdict=False, runs=runs))
    )


def test_a_row_that_trains_nothing_has_scores_but_no_curve_and_costs_no_training() -> None:
    run, more = results(), with_augmented_row()
    assert verdict.compute(more).cost == verdict.compute(run).cost
    assert verdict.compute(more).sentence == verdict.compute(run).sentence
    assert [summary.result.name for summary in model_comparison.compute(more).summaries][
        -1
    ] == "tuned_tta"
    assert [one.model.name for one in curves.compute(more)] == [
        "tuned",
        "baseline",
        "efficientnet_b2",
    ]


def test_a_row_that_trains_nothing_shows_neither_epoch_nor_time() -> None:
    source = page(with_augmented_row(), trials())
    seeds = source[source.index('aria-label="Every seed"') :]
    rows = re.findall(r"<tr><th.*?</tr>", seeds[: seeds.index("</table>")], re.DOTALL)
    shown = [row for row in rows if "✚" in row]
    assert [row.count(">–</td>") for row in shown] == [2] * 3
    assert " of 0" not in source


def test_a_row_that_shares_its_trainings_with_the_winner_says_what_that_does_to_its_interval() -> (
    None
):
    run, said = with_augmented_row(), "The interval of its accuracy difference is therefore wider"
    of_baseline, of_row = difference(), difference(opponent="tuned_tta")
    assert said in page(replace(run, differences=(of_baseline, of_row)), trials())
    assert said not in page(replace(run, differences=(of_baseline,)), trials())
