"""Figures for slides: every chart of the page and the matrices, whole in themselves."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.report.fixtures import HOSTILE, page, results, trials
from tuner.report.charts.figures import draw
from tuner.report.charts.matrix import MAX_CLASSES, confusion_chart
from tuner.report.charts.slides import render_slide
from tuner.report.figure_files import FigureFiles, figure_files, file_stem
from tuner.report.reported_run import ReportedRun


@pytest.fixture(scope="module")
def written() -> FigureFiles:
    return figure_files(ReportedRun(results=results(), trials=trials()))


@pytest.mark.slow
def test_every_chart_of_the_page_is_written_twice_and_so_is_each_matrix(
    written: FigureFiles,
) -> None:
    stems = [name.removesuffix(".svg") for name in written.files if name.endswith(".svg")]
    assert [f"{stem}.png" for stem in stems] == [n for n in written.files if n.endswith(".png")]
    n_on_page = page(results(), trials()).count('class="figure"')
    matrices = [stem for stem in stems if "matrix" in stem or "tuned-minus-baseline" in stem]
    assert len(matrices) == len(results().models) + 1
    assert len(stems) - len(matrices) == n_on_page
    assert "models-test-accuracy-of-each-model" in stems
    assert "errors-reliability-diagram" in stems
    assert any(stem.startswith("history-val-accuracy-of-the-trials") for stem in stems)
    assert not written.notes


@pytest.mark.slow
def test_svg_needs_no_font_and_no_other_file_and_is_white(written: FigureFiles) -> None:
    for name, content in written.files.items():
        if not name.endswith(".svg"):
            continue
        text = content.decode()
        root = ElementTree.fromstring(text)
        assert not root.findall(".//{http://www.w3.org/2000/svg}text"), name
        assert "font-family" not in text
        assert not re.search(r'href="(?!#|data:)', text), name
        assert "fill: #ffffff" in text, name


@pytest.mark.slow
def test_png_is_sharp_on_a_slide_and_has_a_white_margin(written: FigureFiles) -> None:
    for name, content in written.files.items():
        if name.endswith(".png"):
            with Image.open(io.BytesIO(content)) as image:
                assert image.width >= 1300, name
                assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255), name


def test_figures_are_the_same_every_time() -> None:
    chart = confusion_chart([[8, 2], [0, 5]], ["no", "yes"], "Tuned", 1)
    assert render_slide(chart) == render_slide(chart)


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_give_plain_names_and_a_picture(title: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,80}", file_stem("models", title))
    chart = draw("x", title, title, lambda axes: axes.plot([1, 2]) and None)
    ElementTree.fromstring(render_slide(chart).svg)


def test_names_without_a_font_are_told() -> None:
    chart = draw("x", "plain", "plain", lambda axes: axes.set_xlabel("\U0001f9ff") and None)
    assert not render_slide(chart).has_all_letters


def test_a_matrix_states_counts_and_shares() -> None:
    chart = confusion_chart([[8, 2], [0, 0]], ["no", "yes"], "Tuned", 1)
    assert chart.title == "Confusion matrix, Tuned"
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    chart.paint(axes)
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["8\n80%", "2\n20%", "0", "0"]


@pytest.mark.slow
def test_too_many_classes_have_no_matrix_and_are_told() -> None:
    many = results(n_classes=MAX_CLASSES + 1, n_seeds=1, n_test=122)
    found = figure_files(ReportedRun(results=many, trials=()))
    assert not any("matrix" in name for name in found.files)
    assert f"no figure of a confusion matrix: {MAX_CLASSES + 1} classes" in found.notes[0]
