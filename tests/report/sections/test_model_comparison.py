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


def test_models_stand_side_by_side_with_the_values_in_which_they_differ() -> None:
    tuned, baseline, _ = results().models
    both = {"flip": False, "conv_blocks": 1, "filters": 8}
    tuned = replace(tuned, values={**both, "filters_10": 3, "filters_0": 9})
    baseline = replace(baseline, values=both, max_epochs=15)
    found = model_comparison.value_table((tuned, baseline))
    assert found.rows == (
        ("epochs trained", ("12 of at most 20", "12 of at most 15")),
        ("filters", ("–", "8")),
        ("filters_0", ("9", "–")),
        ("filters_10", ("3", "–")),
    )
    assert found.same == (("family", "cnn"), ("flip", "no"), ("conv_blocks", "1"))
    assert dict(model_comparison.value_table((baseline,)).rows)["flip"] == ("no",)


def test_p_values_have_a_column_where_there_are_any() -> None:
    run = replace(results(), differences=(difference(),))
    unknown = difference("inconclusive", p_value=None, p_adjusted=None, seed_sd=None)
    column, said = '<th scope="col" class="num">p</th>', "no p value with one seed"
    with_p, without = page(run, trials()), page(replace(run, differences=(unknown,)), trials())
    assert (column in with_p, said in with_p) == (True, False)
    assert (column in without, said in without) == (False, True)


def test_values_without_effect_and_epochs_that_were_not_trained_are_not_shown_as_used() -> None:
    tuned, baseline, backbone = results().models
    frozen = {"unfreeze_blocks": 0, "head_epochs": 5, "optimizer": "sgd", "momentum": 0.9}
    models = (
        replace(tuned, values={"optimizer": "adamw", "momentum": 0.9}),
        replace(baseline, values={"optimizer": "sgd", "momentum": 0.8}),
        replace(backbone, model="efficientnet_b2", values=frozen, runs=()),
    )
    rows = dict(model_comparison.value_table(models).rows)
    assert rows["momentum"] == ("–", "0.8", "0.9")
    assert "head_epochs" not in rows
    assert rows["epochs trained"] == ("12 of at most 20", "12 of at most 20", "–")
    # Adam is the default.
    silent = replace(tuned, values={"momentum": 0.9})
    assert "momentum" not in dict(model_comparison.value_table((silent,)).rows)
    own = replace(tuned, model="my.net:build", values={"optimizer": "adamw", "momentum": 0.9})
    assert dict(model_comparison.value_table((own,)).rows)["momentum"] == ("0.9",)


def test_the_correction_counts_tested_comparisons_and_an_assumption_stands_below_them() -> None:
    assumed = "the difference is larger than seeds plausibly cause (a spread is assumed)"
    of_one = difference(
        opponent="efficientnet_b2", n_seeds=(3, 1), p_value=None, p_adjusted=None, reason=assumed
    )
    run = results()
    run = replace(run, models=tuple(replace(model, in_verdict=True) for model in run.models))
    source = page(replace(run, differences=(difference(), of_one)), trials())
    assert "(Holm)" not in source
    assert f"{assumed[0].upper()}{assumed[1:]}." in source
    both = difference(opponent="efficientnet_b2")
    tested = page(replace(run, differences=(difference(), both)), trials())
    assert "are corrected for 2 comparisons (Holm)" in tested


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
    table = dict(model_comparison.value_table(with_augmented_row().models).rows)
    assert table["epochs trained"] == (*["12 of at most 20"] * 3, "–")
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
