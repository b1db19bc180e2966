"""What is widened, narrowed and frozen, and that the next space is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest

from tests.refinement.searches import drawn, evidence, file_of, trial
from tuner.errors import ConfigurationError
from tuner.refinement.families import Families, next_families
from tuner.refinement.refined_space import Change, RefinedSpace, refined_space
from tuner.refinement.space_text import NextSpace
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space

Score = Callable[[Mapping[str, Any]], float]

RATES = """\
  optimizer: [adamw, sgd]
  learning_rate:
  - {type: float, min: 1e-4, max: 1e-2, sampling: log, when: {optimizer: adamw}}
  - {type: float, min: 1e-3, max: 1e-1, sampling: log, when: {optimizer: sgd}}
  momentum: {type: float, min: 0.8, max: 0.98, when: {optimizer: sgd}}
  label_smoothing: {type: float, min: 0.0, max: 0.1}
"""
BLOCKS = """\
  conv_blocks: {type: int, min: 1, max: 4}
  filters: {type: choice, values: [8, 16, 32, 64], per: conv_blocks}
  kernel_size_0: [3, 5]
"""


def refined(
    file: SearchSpaceFile, score: Score, n: int = 64, most_blocks: int = 8
) -> tuple[RefinedSpace, SearchSpaceFile]:
    """The next space, and what its file is read as."""
    space = refined_space(evidence(file, drawn(file, n, score)), file.space.fixed, most_blocks)
    new = NextSpace(
        file=file,
        preset="standard",
        families=Families(names=(file.model,), reasons={}),
        space=space,
        start_from=("run",),
        origin=("one", "two"),
    )
    return space, parse_space(parse_document(new.text, "next.yaml"))


def change(space: RefinedSpace, name: str) -> Change:
    (found,) = (one for one in space.changes if one.name == name)
    return found


def by_rate(values: Mapping[str, Any]) -> float:
    """The best rate of adamw is 1e-3; sgd is far behind."""
    if values["optimizer"] == "sgd":
        return 0.1 + 0.01 * values["momentum"]
    return 0.9 - 0.1 * abs(math.log10(values["learning_rate"]) + 3)


def test_what_loses_is_frozen_away_with_all_that_depends_on_it() -> None:
    space, file = refined(file_of(RATES), by_rate)
    frozen = change(space, "optimizer")
    assert (frozen.what, frozen.before, frozen.after) == (
        "frozen",
        ("{type: choice, values: [adamw, sgd]}",),
        ("adamw",),
    )
    assert frozen.reason.startswith("the best 16 of 64 settings have adamw; it explains ")
    gone = change(space, "momentum")
    assert (gone.what, gone.after, gone.reason) == ("left out", (), "optimizer is adamw now")
    assert file.space.fixed == {"optimizer": "adamw"}
    assert [(p.name, p.conditions) for p in file.space.parameters] == [
        ("learning_rate", ()),
        ("label_smoothing", ()),
    ]


def test_a_range_that_mattered_is_narrowed_around_the_best() -> None:
    adamw = "  learning_rate: {type: float, min: 1e-5, max: 1e-1, sampling: log, prior: 1e-5}\n"
    space, file = refined(
        file_of(adamw), lambda v: 0.9 - 0.1 * abs(math.log10(v["learning_rate"]) + 3)
    )
    found = change(space, "learning_rate")
    assert found.what == "narrowed"
    assert found.reason.startswith("the best 16 of 64 settings lie from ")
    (rate,) = file.space.parameters
    assert 1e-5 < (rate.low or 0) < 1e-3 < (rate.high or 0) < 1e-1
    # The prior lay outside: the best value takes its place.
    assert rate.prior is not None
    assert (rate.low or 0) <= rate.prior.value <= (rate.high or 0)


def test_an_edge_is_widened_no_further_than_the_family_allows() -> None:
    edges = "  dropout: {type: float, min: 0.3, max: 0.8}\n"
    space, file = refined(file_of(edges), lambda v: v["dropout"])
    assert change(space, "dropout").what == "narrowed, widened"
    assert "at the upper end of what was searched" in change(space, "dropout").reason
    assert file.space.parameters[0].high == 0.9


def test_blocks_that_are_declared_alike_stay_one_line_and_poolings_fit_the_images() -> None:
    space, file = refined(file_of(BLOCKS), lambda v: v["conv_blocks"] + v["filters_0"] / 100)
    blocks = change(space, "conv_blocks")
    assert "widened" in blocks.what
    assert space.declarations["filters"]["per"] == "conv_blocks"
    assert "filters_0" not in space.declarations
    high = int(file.space.parameters[0].high or 0)
    assert high > 4
    assert f"filters_{high - 1}" in file.space.searched
    small, _ = refined(
        file_of(BLOCKS), lambda v: v["conv_blocks"] + v["filters_0"] / 100, most_blocks=4
    )
    assert small.declarations["conv_blocks"]["max"] == 4


def test_blocks_that_are_not_reached_any_more_are_left_out() -> None:
    numbered = (
        "  conv_blocks: {type: int, min: 1, max: 6}\n  filters_0: [8, 16]\n  filters_5: [8, 32]\n"
    )
    space, file = refined(file_of(numbered), lambda v: -float(v["conv_blocks"]), n=96)
    assert change(space, "filters_5").what == "left out"
    assert "filters_5" not in file.space.searched
    assert "filters_0" in file.space.searched


def test_chance_narrows_and_freezes_nothing() -> None:
    file = file_of(RATES)
    space, again = refined(file, lambda v: crc32(repr(sorted(v.items())).encode()) % 1000 / 1000)
    assert {one.what for one in space.changes} <= {"widened"}
    assert set(again.space.searched) == set(file.space.searched)


def test_few_settings_narrow_nothing() -> None:
    space, _ = refined(file_of(RATES), by_rate, n=11)
    assert {one.what for one in space.changes} <= {"widened"}


def test_what_explains_nothing_is_frozen_at_the_best_value() -> None:
    file = file_of(RATES)
    trials = drawn(file, 64, by_rate)
    known = evidence(file, trials)
    assert known.importance is not None
    rows = []
    for row in known.importance.parameters:
        flat = replace(row.importance, value=0.0, low=-0.02, high=0.01)
        is_idle = row.name == "label_smoothing"
        rows.append(replace(row, importance=flat, chance=0.9) if is_idle else row)
    known = replace(known, importance=replace(known.importance, parameters=tuple(rows)))
    found = change(refined_space(known, {}, 8), "label_smoothing")
    best = known.search.best_values["label_smoothing"]
    assert (found.what, found.after) == ("frozen", (repr(best),))
    assert found.reason.startswith("it explains at most 1.0 % of the order of 64 settings")


def test_a_builder_of_your_own_is_never_widened() -> None:
    own = file_of("  width: {type: float, min: 1.0, max: 2.0}\n", "model: mine:build")
    space, _ = refined(own, lambda v: v["width"])
    assert {one.what for one in space.changes} <= {"narrowed"}
    assert space.declarations["width"]["max"] == 2.0


def test_what_the_search_began_with_is_no_setting_of_the_space() -> None:
    file = file_of(RATES)
    inside = {"optimizer": "adamw", "learning_rate": 0.001}
    start = trial(99, inside, 1.0, origin="run", bracket=-1)
    known = evidence(file, [*drawn(file, 16, by_rate), start])
    assert known.search.best_trial_id != "0099"
    assert start not in known.settings
    with pytest.raises(ConfigurationError, match="no setting of the space has a score"):
        evidence(file, [start])
    with pytest.raises(ConfigurationError, match="nothing was searched in this run"):
        evidence(file_of("  dropout: 0.1\n"), [])


def families(scores: dict[str, float], best: str) -> Families:
    file = file_of("  dropout: [0.1, 0.2]\n", "model: [baseline, cnn, efficientnet_lite0]")
    known = replace(evidence(file_of(RATES), drawn(file_of(RATES), 4, by_rate)).search)
    known = replace(known, families=tuple(f.name for f in file.families))
    trials = [trial(i, {"model": name}, score) for i, (name, score) in enumerate(scores.items())]
    return next_families(known, trials, best, 100)


def test_families_that_are_clearly_behind_are_left_out() -> None:
    found = families({"baseline": 0.88, "cnn": 0.9, "efficientnet_lite0": 0.2}, "cnn")
    assert found.names == ("baseline", "cnn")
    assert found.reasons == {
        "efficientnet_lite0": "its best val_accuracy is 20.00 %, that of cnn 90.00 %"
    }
    assert families({"cnn": 0.9}, "cnn").reasons["baseline"] == "none of its settings has a score"


def test_a_backbone_that_is_best_beside_a_cnn_is_searched_alone() -> None:
    found = families({"cnn": 0.89, "efficientnet_lite0": 0.9}, "efficientnet_lite0")
    assert found.names == ("efficientnet_lite0",)
    assert found.reasons["cnn"].endswith("searches it alone")
