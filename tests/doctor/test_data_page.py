"""The page as a browser would read it."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import random_images
from tests.report.test_page import Page, headings
from tuner import doctor
from tuner.data.images import Images
from tuner.data.left_out import LeftOut
from tuner.doctor import data_page
from tuner.doctor.data_page import render
from tuner.doctor.thumbnails import MAX_PER_FINDING, MAX_PICTURES, data_uri, shown_indices

from .samples import data, look

HOSTILE = "<img src=x onerror=alert(1)>"
PARTS = ["train"] * 30 + ["test"] * 30


def odd(**fields: object) -> Images:
    """A data set with findings of many kinds."""
    return data(
        [0, 1] * 30,
        parts=PARTS,
        same=[(0, 1), (2, 32), (4, 6)],
        near=[(8, 40)],
        files={i: {"mode": "P"} for i in range(20, 30)},
        unreadable=("cat/x.png: not an image",),
        **fields,
    )


def page_of(images: Images, **fields: object) -> str:
    return render(look(images, **fields), images.images)


def test_every_finding_has_a_section_with_its_words() -> None:
    images = odd()
    source = page_of(images)
    assert headings(source) == [
        "Summary",
        "One image, several labels",
        "Copies across parts",
        "Near copies across parts",
        "Unreadable files",
        "Near copies",
        "Copies",
        "Odd colour modes",
    ]
    for finding in look(images).findings:
        assert finding.summary in source
        assert f"What to do: {finding.advice}" in source


def test_pairs_stand_side_by_side_with_label_and_part() -> None:
    page = Page(page_of(odd()))
    assert {"cat", "dog", "Training", "PrivateTest", "032.jpg"} <= set(page.texts["bdi"])
    groups = re.findall(r'<div class="group">(.*?)</div>', page_of(odd()), re.DOTALL)
    assert groups[0].count("<img") == 2


def test_nothing_is_requested_and_nothing_but_pictures_in_the_page_is_allowed() -> None:
    source = page_of(odd())
    page = Page(source)
    sources = [a["src"] or "" for tag, a in page.elements if tag == "img"]
    assert sources
    assert all(text.startswith("data:image/") for text in sources)
    assert re.findall(r"(?:href|action|srcset)=\"(?!#)[^\"]*\"", source) == []
    assert "http" not in re.sub(r"http-equiv", "", source)
    policy = (
        next(
            a["content"]
            for _, a in page.elements
            if a.get("http-equiv") == "Content-Security-Policy"
        )
        or ""
    )
    assert policy.startswith("default-src 'none'; ")
    assert policy.count("data:") == 1
    assert not [
        name for _, a in page.elements for name in a if name == "style" or name.startswith("on")
    ]


def test_hostile_names_are_shown_and_powerless() -> None:
    source = page_of(odd(classes=(HOSTILE, "dog"), names={0: HOSTILE}), title=HOSTILE)
    page = Page(source)
    assert HOSTILE in page.texts["bdi"]
    assert not [a for _, a in page.elements if a.get("src") == "x" or "onerror" in a]


def test_equal_data_give_equal_bytes() -> None:
    assert page_of(odd()) == page_of(odd())


def test_worthless_data_say_so_first() -> None:
    source = page_of(data([0] * 20 + [1] * 2))
    assert "Results on this data would be worthless." in source
    assert source.index("worthless") < source.index("fewer than 3 distinct images")


def test_page_names_the_first_examples_and_says_how_many_there_are() -> None:
    source = page_of(data([0, 1] * 30, files={i: {"mode": "P"} for i in range(30)}))
    assert "<summary>The first 20 of 30 examples</summary>" in source
    assert source.count("<li><bdi>") == 20
    assert "<summary>20 examples</summary>" in page_of(
        data([0, 1] * 30, files={i: {"mode": "P"} for i in range(20)})
    )


def test_every_code_of_a_finding_has_a_heading() -> None:
    images = data([0, 1] * 20, files=None, value_range=(0.0, 4095.0))
    assert headings(page_of(images)) == ["Summary", "Rescaled values"]
    sources = (Path(doctor.__file__).parent).glob("*_checks.py")
    codes = {code for one in sources for code in re.findall(r'code="([a-z-]+)"', one.read_text())}
    assert "rescaled-values" in codes
    assert codes <= data_page._HEADINGS.keys()


def test_data_without_a_finding_have_a_page_without_a_picture() -> None:
    source = page_of(data([0, 1] * 20))
    assert headings(source) == ["Summary"]
    assert "<img" not in source


def test_pictures_are_few_and_every_finding_has_some() -> None:
    n = 200
    images = data(
        [0, 1] * (n // 2),
        parts=["train"] * 100 + ["test"] * 100,
        same=[(2 * i, 100 + 2 * i) for i in range(40)],
        near=[(81, 181)],
        files={
            i: {"mode": "P", "is_rotated": True, "is_animated": True, "width": 6, "height": 30}
            for i in range(n)
        },
    )
    findings = look(images).findings
    shown = shown_indices(findings)
    counts = [sum(map(len, groups)) for groups in shown]
    assert sum(counts) <= MAX_PICTURES
    assert max(counts) <= MAX_PER_FINDING
    assert all(
        count > 0 for finding, count in zip(findings, counts, strict=True) if finding.examples
    )


@pytest.mark.parametrize(
    ("side", "kind", "shown"), [(8, "png", 8), (48, "png", 48), (256, "jpeg", 96)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_are_small(side: int, kind: str, shown: int, channels: int) -> None:
    (image,) = random_images(1, size=side, channels=channels)
    uri = data_uri(image)
    head, _, content = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    picture = Image.open(io.BytesIO(base64.b64decode(content)))
    assert picture.size == (shown, shown)
    if kind == "png":
        assert np.array_equal(np.asarray(picture).reshape(image.shape), image)
    assert len(uri) < 14_000


def test_page_says_what_is_left_out_and_what_parts_do() -> None:
    left_out = (
        LeftOut(reason="in no class folder", names=("test/<b>.png",), n_names=12, n_files=12),
    )
    images = data([0, 1] * 20, parts=["train"] * 30 + ["test"] * 10, left_out=left_out)
    page = render(look(images), images.images)
    assert "12 files left out, in no class folder: test/&lt;b&gt;.png and 11 more" in page
    assert "(trains)" in page
    assert "(tests)" in page
