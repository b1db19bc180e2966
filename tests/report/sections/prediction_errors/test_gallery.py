"""The gallery on the page: what it says and shows, and what it does without pictures."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from PIL import Image

from tests.report.fixtures import HOSTILE, page, results
from tuner.records.pictures import ActivationMaps, ActivationRow, Gallery, Shown
from tuner.records.results import Results
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.prediction_errors import gallery
from tuner.report.sections.prediction_errors.gallery import PictureBudget, compute


def picture(width: int = 48, height: int = 48, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height), 120).save(file, kind)
    return file.getvalue()


FILES = {
    name: picture() for name in ("m.png", "m-saliency.png", "u.png", "u-saliency.png", "c.png")
} | {"c-layer-1.png": picture(51, 25)}

MISTAKE = Shown(
    origin="sad/17.png",
    truth=4,
    predicted=3,
    confidence=0.971,
    truth_probability=0.013,
    picture="m.png",
    saliency="m-saliency.png",
)
UNCERTAIN = replace(
    MISTAKE,
    origin="line 8",
    truth=0,
    predicted=0,
    confidence=0.214,
    picture="u.png",
    saliency="u-saliency.png",
)


def with_pictures(**changes: object) -> Results:
    """A run with a mistake, an uncertain image and the maps of one layer.

    Changes are fields of its gallery.
    """
    shown = Gallery(
        n_mistakes=31,
        mistakes=(MISTAKE,),
        uncertain=(UNCERTAIN,),
        layer="conv2d_2",
        reason="",
        map_size=(12, 12),
    )
    row = ActivationRow(truth=2, origin="fear/1.png", picture="c.png", maps=("c-layer-1.png",))
    maps = ActivationMaps(layers=("conv2d",), n_channels=((8, 32),), rows=(row,), n_classes=7)
    return replace(results(), gallery=replace(shown, **changes), activations=maps)


def part(run: Results, files: Mapping[str, bytes] = FILES) -> str:
    """The part of the page about pictures."""
    shown = compute(ReportedRun(results=run, pictures=files))
    return (
        make_environment("tuner.report").get_template("sections/gallery.html").render(gallery=shown)
    )


def text_of(html: str) -> str:
    """The words of a part."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_figure_says_classes_confidence_and_origin() -> None:
    text = text_of(part(with_pictures()))
    assert "sad → happy confidence 97.1 % true class 1.3 % sad/17.png" in text
    assert "angry , correct confidence 21.4 % line 8" in text
    assert "1 of 31 mistakes" in text


def test_map_is_said_to_show_sensitivity_and_its_coarseness() -> None:
    text = text_of(part(with_pictures()))
    assert "where the prediction is sensitive, not why it is right or wrong" in text
    assert "Its resolution is 12 × 12" in text


def test_every_picture_has_a_name_a_size_and_its_bytes_in_the_page() -> None:
    html = page(with_pictures(), pictures=FILES)
    images = re.findall(r"<img ([^>]*)>", html)
    assert len(images) == 6
    for attributes in images:
        assert re.fullmatch(
            r'src="data:image/png;base64,[\w+/=]+" alt="[^"]{10,}" width="\d+" height="\d+"',
            attributes,
        ), attributes
    assert "img-src data:" in html


def test_small_pictures_are_enlarged_by_whole_numbers() -> None:
    budget = PictureBudget(
        {"28": picture(28, 20), "96": picture(96, 64, "JPEG"), "strip": picture(51, 25)}
    )
    found = [budget.picture("28"), budget.picture("96"), budget.picture("strip", 208)]
    assert [(p.width, p.height) for p in found if p] == [(84, 60), (96, 64), (204, 100)]
    assert found[1] and found[1].source.startswith("data:image/jpeg;")


def test_layers_are_shown_by_class_with_their_channels() -> None:
    text = text_of(part(with_pictures()))
    assert "conv2d : 8 of 32 channels" in text
    assert "first test image of each class (1 of 7 classes)" in text
    assert "fear fear/1.png" in text


def test_pictures_beyond_the_limit_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_the_mistake = sum(len(FILES[name]) for name in ("m.png", "m-saliency.png"))
    monkeypatch.setattr(gallery, "MAX_BYTES", of_the_mistake * 4 // 3 + 2)
    found = compute(ReportedRun(results=with_pictures(), pictures=FILES))
    assert found
    assert (len(found.mistakes), len(found.uncertain), len(found.classes), found.n_without) == (
        1,
        0,
        0,
        2,
    )
    text = text_of(part(with_pictures()))
    assert "The page omits 2 more images" in text


def test_full_gallery_stays_below_its_limit() -> None:
    noise = Image.effect_noise((96, 96), 90)
    file = io.BytesIO()
    noise.convert("RGB").save(file, "PNG")
    files = {"m.png": file.getvalue(), "m-saliency.png": file.getvalue()}
    many = with_pictures(mistakes=(MISTAKE,) * 200)
    assert len(file.getvalue()) * 400 > gallery.MAX_BYTES
    size = len(part(many, files))
    assert 0.9 * gallery.MAX_BYTES < size < 1.2 * gallery.MAX_BYTES


def test_run_without_mistakes_says_so() -> None:
    text = text_of(part(with_pictures(n_mistakes=0, mistakes=())))
    assert "No mistake on the test set." in text and "Most confident mistakes" not in text


def test_run_without_a_gallery_says_so() -> None:
    assert "This run has no pictures of its test images." in text_of(part(results()))


def test_lost_and_broken_files_leave_a_mark_and_the_words() -> None:
    files = {**FILES, "m-saliency.png": b"no picture"}
    del files["m.png"]
    html = part(with_pictures(), files)
    text = text_of(html)
    assert "picture missing sad → happy confidence 97.1 %" in text
    assert html.count("<img ") == 4


def test_reason_stands_where_there_are_no_maps() -> None:
    without = with_pictures(
        layer=None,
        map_size=None,
        reason="The model has no convolution.",
        mistakes=(replace(MISTAKE, saliency=None),),
    )
    text = text_of(part(without))
    assert "There are no saliency maps. The model has no convolution." in text
    assert "Grad-CAM" not in text


def test_hostile_names_stay_text_and_no_folder_is_shown() -> None:
    origin = '/home/anna/"><img src=x onerror=alert(1)>.png'
    shown = tuple(replace(MISTAKE, truth=i, predicted=(i + 1) % 8, origin=origin) for i in range(8))
    run = with_pictures(mistakes=shown)
    run = replace(
        results(names=HOSTILE),
        gallery=replace(run.gallery, layer="<b>conv"),
        activations=run.activations,
    )
    html = part(run)
    assert "onerror" in html and "<img src=x" not in html
    assert "<script" not in html and "<b>" not in html and "anna" not in html
    tags = "".join(re.findall(r"<[^>]+>", html))
    assert not re.search(r"\s(on\w+|style)=", re.sub(r'"[^"]*"', '""', tags))
