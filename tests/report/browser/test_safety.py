"""Points 10 to 14: names and numbers that people, or bugs, put into a run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.browser.conftest import Open
from tests.report.browser.stories import hostile_twin
from tests.report.fixtures import HOSTILE
from tuner.report.page import render
from tuner.report.reported_run import ReportedRun
from tuner.store.run_folder import RunFolder

pytestmark = pytest.mark.slow

# Every kind of element with every name of an attribute that it has.
_KINDS = """() => Array.from(new Set(Array.from(document.querySelectorAll("*")).flatMap((one) =>
    [one.localName, ...one.getAttributeNames().map((name) => `${one.localName} ${name}`)]
    ))).sort()"""


def test_10_hostile_names_add_no_element_no_attribute_and_no_dialog(
    open_page: Open, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.html"
    plain.write_text(render(hostile_twin()), encoding="utf-8")
    opened = open_page("hostile")
    expected = open_page(plain).ask(_KINDS)
    assert "table" in expected
    # The bdi of an empty name has a class of its own.
    assert set(opened.ask(_KINDS)) - set(expected) <= {"bdi class"}
    opened.open_details()
    opened.ask(
        "() => { for (const button of document.querySelectorAll('button')) button.click(); }"
    )
    assert opened.complaints == []
    assert opened.page.locator("script:not([type])").count() == 1


def test_11_names_stand_verbatim_and_isolated(open_page: Open) -> None:
    opened = open_page("hostile")
    isolated = opened.ask(
        "() => Array.from(document.querySelectorAll('bdi'), (one) => one.textContent)"
    )
    for name in filter(None, HOSTILE):
        assert name in isolated, f"{name!r} is not on the page as it is"
    assert "(empty name)" in isolated
    assert opened.ask("""() => Array.from(new Set(Array.from(
            document.querySelectorAll("bdi"), (one) => getComputedStyle(one).unicodeBidi)))""") == [
        "isolate"
    ]


def test_11_names_stand_nowhere_outside_an_isolated_place(open_page: Open) -> None:
    opened = open_page("hostile")
    # A right-to-left override turns what follows, unless its place is isolated.
    assert (
        opened.ask("""() => {
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            const found = [];
            while (walker.nextNode()) {
                const parent = walker.currentNode.parentElement;
                if (walker.currentNode.data.includes("\\u202e")
                        && !parent.closest("bdi, svg, pre, script, option"))
                    found.push(parent.outerHTML.slice(0, 200));
            }
            return found;
        }""")
        == []
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_12_names_of_300_characters_break_no_layout(open_page: Open, width: int) -> None:
    opened = open_page("hostile", viewport={"width": width, "height": 720})
    opened.open_details()
    assert opened.ask("() => document.documentElement.scrollWidth") <= width
    # Nothing but what scrolls in its own box is wider than the page.
    assert (
        opened.ask(
            """(width) => Array.from(document.querySelectorAll("main *"))
            .filter((one) => one.getBoundingClientRect().right > width + 1)
            .filter((one) => !one.closest(".scroll, pre, svg")
                && getComputedStyle(one).position !== "absolute")
            .map((one) => one.outerHTML.slice(0, 160))""",
            width,
        )
        == []
    )
    assert opened.page.locator("#verdict .sentence").bounding_box()["height"] < 720  # type: ignore[index]


def test_13_duplicate_empty_and_numeric_names_keep_their_own_rows(open_page: Open) -> None:
    names = (*HOSTILE, "7", "08")
    page = open_page("hostile").page
    rows = page.locator("#errors table.matrix").first.locator("tbody th")
    assert rows.count() == len(names)
    assert [row.text_content().strip() for row in rows.all()] == [
        name or "(empty name)" for name in names
    ]  # type: ignore[union-attr]
    counts = page.locator("#reproduce table tbody th")
    assert counts.count() == len(names)
    # "7" and "08" are names, not numbers: they are not sorted into one another or rounded.
    assert [row.text_content().strip() for row in counts.all()][-2:] == ["7", "08"]  # type: ignore[union-attr]


def test_14_values_that_are_not_finite_are_shown_as_words(open_page: Open) -> None:
    opened = open_page("not finite")
    opened.open_details()
    text = opened.ask("() => document.body.innerText")
    for word in ("NaN", "∞", "−∞", "–"):
        assert word in text, f"{word} is not on the page"
    assert "undefined" not in text
    assert opened.page.locator(".alert:has-text('could not be built')").count() == 0


def test_14_json_on_the_page_and_beside_it_stays_json(
    open_page: Open, story_of: Callable[[str], ReportedRun], tmp_path: Path
) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    blocks = open_page("not finite").page.locator(
        "#snippet-json + button + pre, script[type='application/json']"
    )
    assert blocks.count() >= 1
    for block in blocks.all():
        json.loads(block.text_content() or "", parse_constant=refuse)
    results = story_of("not finite").results
    folder = RunFolder(tmp_path)
    folder.write_results(results)
    json.loads((tmp_path / "results.json").read_text(), parse_constant=refuse)
    assert math.isinf(folder.read_results().models[0].runs[0].test.log_loss)
