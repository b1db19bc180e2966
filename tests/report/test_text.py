"""How numbers, sizes and paths are written."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from tuner.metrics import score_text
from tuner.report import text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/home/ann/photos/a.png: truncated", "…/a.png: truncated"),
        ("C:\\Users\\ann\\a.png", "…/a.png"),
        ("~/photos/a.png", "…/a.png"),
        ("--out=/tmp/run", "--out=…/run"),
        ("0.1 s/step, 3/4, happy/a.png", "0.1 s/step, 3/4, happy/a.png"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("see https://example.org/ann/x, 'a'/b", "see https://example.org/ann/x, 'a'/b"),
        ("'/srv/our photos/x y.png' and '/a/b'", "'…/x y.png' and '…/b'"),
        ("'--out=/srv/our photos/x'", "'--out=…/x'"),
        ("'C:\\Users\\Ann Lee\\photos'", "'…/photos'"),
        ('"C:\\\\Users\\\\Ann Lee\\\\photos"', '"…/photos"'),
        ("\\\\server\\users\\ann\\a.png", "…/a.png"),
        ("read:/srv/ann/x.csv", "read:…/x.csv"),
        ("file:///srv/ann/x.csv", "…/x.csv"),
        ("'/' and '/x'", "'/' and '/x'"),
    ],
)
def test_absolute_paths_lose_their_folders_and_nothing_else_does(before: str, after: str) -> None:
    assert text.without_folders(before) == after


def test_a_path_whose_folders_were_left_out_stays_as_it_is() -> None:
    run = text.without_folders("/home/a/reports/digits/20260131-101500-0a1b2c3d")
    snippet = f'load_recipe("{run}/best.yaml")'
    assert text.without_folders(snippet) == 'load_recipe("…/20260131-101500-0a1b2c3d/best.yaml")'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/home/ann lee/photos/a.png: truncated", "…/a.png: truncated"),
        ("/home/ann lee/a.png", "…/a.png"),
        ("'/home/ann lee'", "'~'"),
        ("/mnt/annlee", "…/…"),
        ("photos/annlee/a.png", "photos/…/a.png"),
        ("annlee, photos/annlee.png", "annlee, photos/annlee.png"),
        ("https://example.org/annlee/x", "https://example.org/annlee/x"),
    ],
)
def test_home_folder_and_name_of_the_person_are_left_out(
    before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_person", lambda: ("/home/ann lee", "annlee"))
    assert text.without_folders(before) == after


def test_numbers_that_are_none_or_not_finite_are_shown() -> None:
    values = (None, float("nan"), float("inf"), float("-inf"), -0.5)
    assert [score_text.decimal(v, 1) for v in values] == ["–", "NaN", "∞", "−∞", "−0.5"]
    assert score_text.percent(None) == "–"
    assert [text.points(v, 0) for v in (0.042, 0.001, -0.2)] == ["+4", "0", "−20"]


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (None, score_text.MISSING),
        (0, "0 kB"),
        (1700, "2 kB"),
        (83_500_000, "83.5 MB"),
        (5_529_600_000, "5.5 GB"),
    ],
)
def test_size_is_readable(n_bytes: int | None, shown: str) -> None:
    assert text.file_size(n_bytes) == shown


@pytest.mark.parametrize(
    ("html", "glued"),
    [
        ("<p>88.0 % of [1.0, 2.0] %</p>", "<p>88.0\u00a0% of [1.0, 2.0]\u00a0%</p>"),
        ("<td>5 ms, 2.1 MB, 3 points</td>", "<td>5\u00a0ms, 2.1\u00a0MB, 3\u00a0points</td>"),
        ('<img alt="5 %"><bdi>5 %</bdi>', '<img alt="5 %"><bdi>5 %</bdi>'),
        ("<pre><code>echo 5 % 2</code></pre>", "<pre><code>echo 5 % 2</code></pre>"),
        ("<p>5 % <bdi>a 5 %</bdi> 5 %</p>", "<p>5\u00a0% <bdi>a 5 %</bdi> 5\u00a0%</p>"),
        ("<p>5 mistakes</p>", "<p>5 mistakes</p>"),
        ("<p>a</p>\n\n<p>b</p>\n<b>c</b>\nd", "<p>a</p><p>b</p><b>c</b>\nd"),
    ],
)
def test_numbers_keep_their_units_and_names_and_code_stay(html: str, glued: str) -> None:
    assert text.glued(Markup(html)) == glued


def test_shares_on_an_axis_have_no_idle_zeros() -> None:
    shown = [text.short_percent(share) for share in (0.0, 0.8, 0.9705, 1.0)]
    assert shown == ["0", "80", "97.05", "100"]
    assert text.short_percent(0.97, 0) == "97"
    assert text.short_percent(1.0, 0) == "100"


def test_times_are_told_to_the_minute() -> None:
    assert text.minute("2026-11-30T16:27:58Z") == "2026-11-30 16:27"
    assert text.minute("") == "–"
