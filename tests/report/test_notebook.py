"""A run in the output of a notebook's cell."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tuner.records.results import Results
from tuner.report.notebook import MAX_MARKS, Chart, as_html, as_text, chart
from tuner.report.reported_run import ReportedRun
from tuner.report.sections import recommendation, verdict
from tuner.report.sections.verdict_sentence import plain_text

from .differences import difference
from .fixtures import HOSTILE, recommending, results, search_only, trials

TESTED = replace(results(), differences=(difference(),))


def shown(run: Results, n: int = 23) -> ElementTree.Element:
    """The output, which is well-formed."""
    return ElementTree.fromstring(as_html(ReportedRun(results=run, trials=trials(n))))


def text_of(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def drawn(n: int = 23, run: Results = TESTED) -> Chart:
    found = chart(trials(n), run)
    assert found is not None
    return found


def test_recommendation_and_verdict_are_those_of_the_report() -> None:
    run = recommending(TESTED)
    text, use = text_of(shown(run)), recommendation.compute(run)
    assert use is not None
    for part in (plain_text(use.headline), use.why, verdict.compute(run).sentence):
        assert " ".join(part.split()) in text


def test_table_has_a_row_for_each_model() -> None:
    run = recommending(TESTED)
    rows = [text_of(row) for row in shown(run).iter("tr")][1:]
    assert len(rows) == len(run.models)
    assert rows[1].startswith("Baseline (recommended)")
    assert "(recommended)" not in rows[0] + rows[2]


def test_names_of_others_are_escaped() -> None:
    name = "".join(HOSTILE)
    run = replace(TESTED, data=replace(TESTED.data, title=name))
    run = replace(run, models=tuple(replace(m, title=name) for m in run.models))
    root = shown(recommending(run))
    assert not list(root.iter("script"))
    assert not [key for one in root.iter() for key in one.attrib if key.startswith("on")]
    assert "<script>alert(1)</script>" in text_of(root)


def test_colours_are_the_notebooks() -> None:
    html = as_html(ReportedRun(results=TESTED, trials=trials()))
    assert "<style" not in html
    assert 'fill="currentColor"' in html
    assert {"black", "white", "#000", "#fff"}.isdisjoint(html.replace('"', " ").split())


def test_search_alone_shows_its_search() -> None:
    root = shown(search_only())
    assert not list(root.iter("table"))
    assert "Search only" in text_of(root)
    assert list(root.iter("polyline"))


def test_run_without_scores_has_no_chart() -> None:
    failed = [replace(one, score=None, error="boom") for one in trials(3)]
    assert chart(failed, TESTED) is None
    assert "<svg" not in as_html(ReportedRun(results=TESTED, trials=failed))


def test_each_trial_has_a_mark_within_the_frame() -> None:
    found = drawn()
    assert [mark.kind for mark in found.marks].count("failed") == 3
    assert all(0 < mark.x < 440 and 0 < mark.y < 150 for mark in found.marks)
    best = max(trials(), key=lambda one: one.score or 0)
    (top,) = [mark for mark in found.marks if mark.title.startswith(f"trial {best.trial_id}")]
    assert top.y == min(mark.y for mark in found.marks)
    xs = [mark.x for mark in found.marks]
    assert xs == sorted(xs)


@pytest.mark.parametrize(
    ("objective", "score", "end"),
    [("val_accuracy", "69.89 %", "69.9 %"), ("val_loss", "0.6989", "0.699")],
)
def test_scores_have_the_unit_of_the_report(objective: str, score: str, end: str) -> None:
    run = replace(TESTED, search=replace(TESTED.search, objective=objective))
    found, words = drawn(run=run), objective.replace("val_", "validation ")
    assert found.high == end
    assert f"trial 0010: {score}" in [mark.title for mark in found.marks]
    assert found.description.startswith(f"{words} of 23 trials from ")
    text = text_of(shown(run))
    assert f"The chart shows the {words} by trial" in text
    assert f"The winner: {words} {end} (trial 0010)." in text


def test_line_never_falls_and_ends_with_the_last_trial() -> None:
    found = drawn()
    places = [tuple(map(float, place.split(","))) for place in found.line.split()]
    heights = [y for _, y in places]
    assert heights == sorted(heights, reverse=True)
    assert places[-1][0] == found.marks[-1].x


@pytest.mark.parametrize(("n", "most"), [(1, 1), (499, 499), (1201, MAX_MARKS)])
def test_long_searches_stay_small(n: int, most: int) -> None:
    found = drawn(n)
    assert found.n == n
    assert len(found.marks) <= most
    assert len(as_html(ReportedRun(results=TESTED, trials=trials(n)))) < 150_000


def test_text_is_one_line() -> None:
    assert as_text(recommending(TESTED)).startswith("faces, complete, 23 trials. Use Baseline: ")
    assert as_text(search_only()).endswith(
        ", complete, 23 trials. Best validation accuracy 69.9 % (trial 0010)"
    )
    hostile = as_text(replace(TESTED, data=replace(TESTED.data, name="a\n\x1b[2Jb")))
    assert hostile.isprintable()
    recipe = replace(TESTED, run=replace(TESTED.run, recipe="best.yaml"))
    assert as_text(recipe) == "faces, trained from a recipe"
