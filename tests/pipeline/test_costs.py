"""What a forecast leaves out of a comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.images import SMALL_CNN
from tests.pipeline.comparison.jobs import job
from tests.planning.contenders import FROZEN, TUNED, stated_baselines
from tests.planning.costs import cost
from tests.planning.test_forecast import known as usual_known
from tuner.pipeline.costs import (
    Variant,
    Work,
    variants,
    without_backbones,
    without_dear_baseline,
    without_last_resorts,
)
from tuner.pipeline.training_data import training_data
from tuner.planning.affordable import most_multiply_adds
from tuner.planning.candidates import candidate_of
from tuner.planning.forecast import Known
from tuner.records.contender import Contender

SCRATCH = replace(FROZEN, name="efficientnet_b0", values={**FROZEN.values, "weights": "none"})
BASELINE = stated_baselines("baseline")[0]


def known(*others: Contender) -> Known:
    return usual_known(contenders=[(TUNED, None), *((one, cost(one.name)) for one in others)])


def names(found: Known) -> list[str]:
    return [one.name for one, _ in found.contenders]


def test_comparison_without_backbones_needs_no_features() -> None:
    lean = without_backbones(known(BASELINE, FROZEN))
    assert (names(lean), lean.features_s) == (["tuned", "baseline"], (0.0, 0.0, 0.0))
    whole = known(BASELINE)
    assert without_backbones(whole) is whole


@pytest.mark.parametrize(
    ("others", "left"),
    [
        ((BASELINE, SCRATCH, FROZEN), ["tuned", "baseline", "efficientnet_b2"]),
        ((BASELINE, SCRATCH), ["tuned", "baseline", "efficientnet_b0"]),
        ((BASELINE,), ["tuned", "baseline"]),
    ],
)
def test_backbone_from_scratch_is_left_out_where_another_one_is_not(
    others: tuple[Contender, ...], left: list[str]
) -> None:
    assert names(without_last_resorts(known(*others))) == left


def test_a_run_may_leave_out_the_baselines_trial_what_is_dear_and_backbones(
    tmp_path: Path,
) -> None:
    found = job(tmp_path, [])
    data = training_data(found.dataset, found.options.data_dir)
    usual = candidate_of("defaults", "cnn", SMALL_CNN, data)
    dear = candidate_of("setting 1", "cnn", {**SMALL_CNN, "filters": 40_000}, data)
    work = Work(
        options=found.options,
        file=found.file,
        dataset=found.dataset,
        data=data,
        settings=(usual, dear),
        starts=(usual,),
    )
    baseline, costs = cost("baseline"), [cost(usual.key), cost(dear.key)]
    whole = replace(
        known(BASELINE, FROZEN),
        contenders=[(TUNED, None), (BASELINE, baseline), (FROZEN, cost("frozen"))],
        costs=costs,
        starts=[baseline, cost(usual.key)],
    )
    amounts = [
        (len(one.known.costs), len(one.known.starts), len(one.known.contenders))
        for one in variants(whole, work)
    ]
    assert amounts[0] == (2, 2, 3)
    assert amounts[-1] == (1, 1, 2)
    assert len(set(amounts)) == len(amounts) == 8
    leanest = variants(whole, work)[-1]
    assert (leanest.tries_baseline, leanest.most_multiply_adds) == (
        False,
        most_multiply_adds(found.file, found.dataset.spec),
    )
    unmeasured = replace(whole, costs=costs[:1])
    assert any(one.most_multiply_adds for one in variants(unmeasured, work))
    of_large_ones = replace(work, settings=(dear, dear))
    assert not any(one.most_multiply_adds for one in variants(whole, of_large_ones))
    only = replace(whole, starts=[], contenders=whole.contenders[:2])
    assert variants(only, replace(work, settings=(usual,))) == [Variant(known=only)]


def test_a_dear_baseline_may_be_left_out_of_search_and_comparison() -> None:
    usual = cost("defaults", image_s=0.01)

    def possible(image_s: float) -> list[Variant]:
        baseline = cost("baseline", image_s=image_s)
        whole = usual_known(
            contenders=[(TUNED, None), (BASELINE, baseline), (FROZEN, cost("frozen"))],
            costs=[usual],
            starts=[baseline, usual],
        )
        lean = replace(whole, starts=[usual])
        return [Variant(known=whole), Variant(known=lean, tries_baseline=False)]

    assert without_dear_baseline(possible(0.04)) == []
    assert without_dear_baseline([Variant(known=known(FROZEN))]) == []
    (found,) = without_dear_baseline(possible(0.05))
    assert (found.tries_baseline, found.compares_baseline) == (False, False)
    assert names(found.known) == ["tuned", "efficientnet_b2"]
    assert found.known.starts == [usual]
    # Beside settings that a short budget leaves out as well, it is dear all the same.
    whole, lean = possible(0.05)
    others = replace(whole.known, costs=[usual, cost("large", image_s=0.1)])
    assert without_dear_baseline([replace(whole, known=others), lean]) == [found]
