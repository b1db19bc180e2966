"""Section "What mattered": what it says, draws and hands to its script."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from tests.report.fixtures import HOSTILE, results
from tuner.metrics.importance import MAX_SETTINGS, importance
from tuner.records.importance import Importance, ParameterImportance
from tuner.records.results import Results
from tuner.records.scores import Estimate
from tuner.records.trial import Trial
from tuner.report.charts import parallel, slices
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections import mattered
from tuner.space.definition import Condition, Parameter

RATE = Parameter(name="rate", kind="float", low=1e-4, high=1e-2, log=True)
BLOCKS = Parameter(name="blocks", kind="int", low=2, high=6)
KIND = Parameter(name="kind", kind="choice", choices=("sgd", "adam", "lion"))
INNER = Parameter(
    name="inner",
    kind="float",
    low=0.0,
    high=1.0,
    conditions=(Condition(parent="kind", values=("adam",)),),
)
SPACE = (RATE, BLOCKS, KIND, INNER)


def trial(number: int, score: float | None, depth: int = 3, **values: Any) -> Trial:
    return Trial(
        trial_id=f"{number:04d}",
        values=values,
        bracket=0,
        rung=0,
        parent_id=None,
        first_epoch=1,
        last_epoch=depth,
        score=score,
        error=None if score is not None else "out of memory",
    )


def search(n: int) -> tuple[Trial, ...]:
    generator = np.random.default_rng(0)
    found = []
    for number in range(n):
        values: dict[str, Any] = {
            "rate": float(10 ** generator.uniform(-4, -2)),
            "blocks": int(generator.integers(2, 7)),
            "kind": str(generator.choice(KIND.choices)),
        }
        if values["kind"] == "adam":
            values["inner"] = float(generator.random())
        found.append(
            trial(
                number,
                0.2 + 0.1 * values["blocks"],
                depth=3 ** int(generator.integers(3)),
                **values,
            )
        )
    return tuple(found)


@cache
def finished() -> Results:
    """Without models, since only the search is looked at here."""
    return replace(results(), models=())


def run(
    parameters: Sequence[Parameter] = SPACE, found: Importance | None = None, direction: str = "max"
) -> Results:
    run = results()
    return replace(
        run,
        search=replace(run.search, parameters=tuple(parameters), direction=direction),
        importance=found,
    )


def ranking(*names: str, **chances: float) -> Importance:
    """Rows of these chances; of the names alone the chances are none."""
    rows = tuple(
        ParameterImportance(
            name=name,
            importance=Estimate(value=0.2, low=-0.001, high=0.4),
            chance=chance,
            n_settings=45 - place,
            places=(1, 1 + place),
        )
        for place, (name, chance) in enumerate((dict.fromkeys(names, 0.0) | chances).items())
    )
    return Importance(n_trials=60, n_settings=45, parameters=rows, reason="")


@pytest.fixture(autouse=True)
def one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time."""
    monkeypatch.setattr(slices, "MAX_SLICES", 1)


def section(run: Results, trials: Sequence[Trial]) -> str:
    context = mattered.context(ReportedRun(results=run, trials=trials))
    assert context is not None
    return (
        make_environment("tuner.report")
        .get_template("sections/mattered.html")
        .render(results=run, **context)
    )


def handed_over(source: str) -> dict[str, Any]:
    (data,) = re.findall(
        r"<script type=\"application/json\" id=\"parallel-data\">(.*?)</script>", source, re.DOTALL
    )
    return json.loads(data, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def positions(data: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data["positions"]), dtype=np.uint8).reshape(
        -1, len(data["axes"])
    )


def test_ranking_is_stated_with_ranges_and_what_cannot_be_told() -> None:
    source = section(run(found=ranking(blocks=0.0004, rate=0.05, kind=0.051)), search(60))
    rows = re.findall(r"<tr><th scope=\"row\">\s*<bdi>(.*?)</bdi>\s*</th>(.*?)</tr>", source)
    cells = {name: re.findall(r"<td[^>]*>(.*?)</td>", rest) for name, rest in rows}
    assert cells == {
        "blocks": ["0.20", "yes", "[0.00, 0.40]", "0.0 %", "1", "45"],
        "rate": ["0.20", "yes", "[0.00, 0.40]", "5.0 %", "1 to 2", "44"],
        "kind": ["0.20", "no", "[0.00, 0.40]", "5.1 %", "1 to 3", "43"],
    }
    assert "It uses the ranks of 45 settings." in source
    assert "how often any of the 3 looked as strong in 2,000 shuffles of the ranks" in source
    assert '<title id="fig-importance-title">Importance of the hyperparameters</title>' in source


def test_a_ranking_of_an_earlier_version_is_shown_as_what_it_is() -> None:
    rows = tuple(
        ParameterImportance(name=name, importance=Estimate(value=0.2, low=low, high=0.4))
        for name, low in (("blocks", 0.1), ("rate", -0.1))
    )
    source = section(run(found=Importance(n_trials=60, parameters=rows, reason="")), search(60))
    assert "An earlier version computed these numbers" in source
    assert "a random forest" in source
    assert "shuffled 2,000" not in source
    cells = re.findall(r"<tr><th scope=\"row\">.*?</th>(.*?)</tr>", source, re.DOTALL)
    assert [re.findall(r"<td[^>]*>(.*?)</td>", one) for one in cells] == [
        ["0.20", "yes", "[0.10, 0.40]"],
        ["0.20", "no", "[−0.10, 0.40]"],
    ]


def test_a_ranking_of_a_part_of_the_settings_says_so() -> None:
    found = replace(ranking("blocks"), n_settings=MAX_SETTINGS)
    assert "ranks of 1,000 settings, a random sample" in section(run(found=found), search(60))


def test_hostile_names_of_groups_end_no_element() -> None:
    names = (*HOSTILE, *(f"{name}_{i} (per block)" for i, name in enumerate(HOSTILE)), "</th>")
    source = section(run(found=ranking(*names)), search(60))
    rows = re.findall(r"<tr><th scope=\"row\">\s*<bdi[^>]*>(.*?)</bdi>\s*</th>", source, re.DOTALL)
    assert [unescape(row) for row in rows] == [
        name or "(empty name)" for name in dict.fromkeys(names)
    ]
    assert "<script>" not in source.replace('<script type="application/json"', "")


def test_nothing_but_chance_leaves_slices_and_lines_and_gives_the_reason() -> None:
    trials = search(10)
    source = section(run(found=importance(trials, SPACE, "max", 1)), trials)
    assert "No ranking: among 10 settings, any pattern may be chance." in source
    assert "fig-importance" not in source
    assert source.count("<svg") == 1
    assert len(positions(handed_over(source))) == 10


def test_a_search_that_has_not_ended_says_when_importance_comes() -> None:
    source = section(run(), search(60))
    assert "Importance is computed once, when the search has ended" in source
    assert source.count("<svg") == 1


def test_trials_without_a_score_are_counted_and_not_drawn() -> None:
    odd = (trial(90, None), trial(91, math.nan), replace(trial(92, 0.5), is_stopped=True))
    source = section(run(), (*search(20), *odd))
    assert "This section uses 20 of 23 trials, by their <bdi>val_accuracy</bdi>" in source
    assert "It does not use starting settings, or trials that failed, were stopped" in source
    assert len(positions(handed_over(source))) == 20


def test_without_any_score_nothing_is_drawn_and_without_a_space_there_is_no_section() -> None:
    source = section(run(), (trial(0, None),))
    assert "There is nothing to draw." in source
    assert "<svg" not in source
    assert mattered.context(ReportedRun(results=run(parameters=()), trials=search(5))) is None


def test_controls_wait_for_the_script() -> None:
    source = section(run(), search(60))
    before, controls = source.split('<div id="parallel-parts" hidden>')
    assert re.findall(r"<(?:select|input|button|canvas)", before) == []
    assert re.findall(r"<(select|input|button|canvas)", controls) == [
        "select",
        "select",
        "input",
        "input",
        "button",
        "canvas",
    ]
    assert re.findall(r"<option value=\"(\d+)\"( selected)?", controls) == [
        ("10", ""),
        ("50", " selected"),
        ("60", ""),
    ]


@pytest.mark.parametrize("direction", ["max", "min"])
def test_lines_come_best_first_and_stand_where_their_values_are(direction: str) -> None:
    data = handed_over(section(run(direction=direction), search(60)))
    assert [axis["name"] for axis in data["axes"]] == [
        "rate",
        "blocks",
        "kind",
        "inner",
        "val_accuracy",
    ]
    rows = positions(data).astype(int)
    ordered = rows[:, -1] if direction == "min" else rows[::-1, -1]
    assert (np.diff(ordered) >= 0).all()
    # Here the score is the number of blocks.
    assert np.abs(rows[:, 1] - rows[:, -1]).max() <= 1
    is_adam = rows[:, 2] == 128
    assert (rows[~is_adam, 3] == 255).all()
    assert (rows[is_adam, 3] < 255).all()


def test_json_holds_hostile_names_verbatim_and_cannot_be_ended_by_them() -> None:
    names = (*HOSTILE[:4], "</script><img src=x onerror=alert(1)>", "<!--<script>", "")
    space = [Parameter(name=name, kind="choice", choices=(name, "]]>")) for name in names]
    trials = [trial(i, 0.1 * i, **{name: name for name in names}) for i in range(5)]
    source = section(run(parameters=space), trials)
    data = handed_over(source)
    assert tuple(axis["name"] for axis in data["axes"][:-1]) == names
    assert data["axes"][0]["ticks"][0] == [0.0, names[0]]

    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(source)
    assert tags.count("script") == 1
    assert "img" not in tags


def test_values_that_are_no_numbers_are_placed_and_leave_the_json_valid() -> None:
    odd = [
        trial(0, 0.1, rate=math.nan, blocks=math.inf, kind=None),
        trial(1, 0.2, rate=None, blocks=99, kind="other"),
        trial(2, 0.3, rate=1e-3, blocks=4, kind="sgd", inner=0.5),
    ]
    rows = positions(handed_over(section(run(), odd))).tolist()
    assert rows[-1][:4] == [255] * 4
    assert rows[0][2] == 0


def test_equal_scores_and_one_trial_are_drawn() -> None:
    for trials in ([trial(0, 0.5, rate=1e-3)], [trial(i, 0.5, rate=1e-3) for i in range(3)]):
        rows = positions(handed_over(section(run(), trials)))
        assert rows[:, -1].tolist() == [128] * len(trials)


def test_many_trials_leave_out_the_worst_lines_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MAX_BYTES", 200)
    source = section(run(), search(60))
    rows = positions(handed_over(source))
    assert rows.shape == (40, 5)
    assert rows[:, -1].min() > 0
    assert "The page contains the 40 best of 60 trials." in source


def test_slices_show_the_most_important_and_name_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "MAX_SLICES", 2)
    order = ["kind", "inner", "rate", "blocks"]
    source = section(run(found=ranking(*order)), search(40))
    titles = re.findall(r"<title id=\"slice\d+-title\">(.*?)</title>", source)
    assert titles == [f"val_accuracy against {name}" for name in order[:2]]
    left_out = re.search(r"Not drawn: (.*?)</p>", source, re.DOTALL)
    assert left_out is not None
    assert re.findall(r"<bdi>(.*?)</bdi>", left_out[1]) == ["rate", "blocks"]


def test_slices_show_one_block_of_a_group_before_the_second_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slices, "MAX_SLICES", 3)
    names = ("filters_0", "filters_1", "kernel_0", "kernel_1")
    space = [replace(BLOCKS, name=name) for name in names]
    trials = [trial(i, 0.1 * i, **dict.fromkeys(names, 2 + i)) for i in range(4)]
    found = ranking("kernel (per block)", "filters (per block)")
    rows = [
        replace(row, members=names[start : start + 2])
        for row, start in zip(found.parameters, (2, 0), strict=True)
    ]
    shown = mattered.compute(
        run(parameters=space, found=replace(found, parameters=tuple(rows))), trials
    ).slices
    assert shown is not None
    assert [scale.name for scale in shown.scales] == ["kernel_0", "filters_0", "kernel_1"]


def test_slices_of_many_trials_keep_the_best_and_the_worst_and_say_how_many() -> None:
    trials = search(slices.MAX_POINTS + 100)
    found = mattered.compute(run(), trials).slices
    assert found is not None
    assert len(found.drawn) == slices.MAX_POINTS
    scores = [t.score for t in trials if t.score is not None]
    assert (found.drawn[0].score, found.drawn[-1].score) == (max(scores), min(scores))
    assert (
        f"The charts show {slices.MAX_POINTS} of the {len(trials)} trials, evenly spaced by rank."
        in section(run(), trials)
    )


def test_a_diverged_loss_stands_at_the_edge_and_is_counted() -> None:
    trials = [*(trial(i, 0.5 + 0.01 * i, rate=1e-3) for i in range(20)), trial(20, 1e9, rate=1e-2)]
    source = section(run(direction="min"), trials)
    assert "1 score is far worse than the rest and drawn at the edge." in source
    data = handed_over(source)
    assert data["axes"][-1]["high"] < 2
    assert positions(data)[-1, -1] == 255


def test_depth_has_a_marker_of_its_own_and_the_shallowest_share_one() -> None:
    found = slices.depth_marks([trial(d, 0.5, depth=d) for d in (27, 9, 3, 1, 81)])
    assert [(mark.symbol, mark.text) for mark in found] == [
        ("✕", "at most 3 epochs"),
        ("□", "9 epochs"),
        ("△", "27 epochs"),
        ("●", "81 epochs"),
    ]
    assert [mark.text for mark in slices.depth_marks([trial(0, 0.5, depth=1)])] == ["1 epoch"]
