"""Points 27 to 29: few and many classes and trials."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.report.browser.canvas import CHANGED, DRAWN
from tests.report.browser.conftest import Open
from tuner.report.reported_run import ReportedRun

pytestmark = pytest.mark.slow

# Pixels of the smallest text that people read without effort.
SMALLEST = 10.5


@pytest.mark.parametrize("n_classes", [2, 10, 100, 1000])
def test_27_any_number_of_classes_stays_readable(open_page: Open, n_classes: int) -> None:
    opened = open_page(f"{n_classes} classes")
    page = opened.page
    assert (page.locator("#errors table.matrix").count() > 0) is (n_classes <= 20)
    assert page.locator("#errors [aria-label='Most confused pairs 1'] tbody tr").count() == min(
        10, n_classes * (n_classes - 1)
    )
    # Closed lists keep the page short however many classes there are.
    assert opened.ask("() => document.documentElement.scrollHeight") < 14_000
    opened.open_details()
    assert page.locator("[aria-label='Scores of every class 1'] tbody tr").count() == n_classes
    assert opened.ask("() => document.documentElement.scrollHeight") < 24_000
    small = opened.ask(
        """(least) => {
            const errors = document.querySelector("#errors");
            const walker = document.createTreeWalker(errors, NodeFilter.SHOW_TEXT);
            const found = [];
            while (walker.nextNode()) {
                const one = walker.currentNode.parentElement;
                const size = parseFloat(getComputedStyle(one).fontSize);
                if (walker.currentNode.data.trim() && !one.closest("svg") && size < least)
                    found.push(one.outerHTML.slice(0, 80));
            }
            return found.slice(0, 3);
        }""",
        SMALLEST,
    )
    assert small == []
    cut = opened.ask(
        """() => Array.from(document.querySelectorAll("#errors td"))
            .filter((one) => one.scrollWidth > one.clientWidth + 1)
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert cut == []


@pytest.mark.parametrize("story", ["typical", "2 classes", "real"])
def test_27_labels_inside_charts_do_not_run_into_each_other(open_page: Open, story: str) -> None:
    overlaps = open_page(story).ask(
        """() => Array.from(document.querySelectorAll("svg[role=img]")).flatMap((chart) => {
            const boxes = Array.from(chart.querySelectorAll("text"))
                .map((one) => [one.textContent, one.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0);
            return boxes.flatMap(([a, p], i) => boxes.slice(i + 1)
                .filter(([, q]) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2
                    && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4)
                .map(([b]) => `${chart.querySelector("title").textContent}: ${a} | ${b}`));
        })"""
    )
    assert overlaps == []


def test_29_what_is_left_out_of_charts_and_tables_is_said(open_page: Open) -> None:
    page = open_page("large").page
    words = " ".join((page.locator("#history").text_content() or "").split())
    shown = page.locator("[aria-label=Trials] tbody tr").count()
    assert shown < 5000
    assert f"The {shown} best of 5,000 trials; trials.csv has all of them." in words
    drawn = re.search(r"Marks show ([\d,]+) of the", words)
    assert drawn is not None
    assert int(drawn[1].replace(",", "")) < 5000


def test_28_parallel_coordinates_of_5000_trials_are_drawn_and_filtered(
    open_page: Open,
) -> None:
    opened = open_page("large")
    page = opened.page
    assert page.locator("#parallel-canvas").is_visible()
    options = page.locator("#parallel-count option")
    assert int(options.last.get_attribute("value") or 0) > 500
    few = opened.ask(DRAWN)
    assert few["share"] > 0.01, "the canvas is blank"
    # How long each takes is measured by benchmarks/report_size.py.
    for selector in ("#parallel-count", "#parallel-from"):
        page.locator(selector).evaluate(CHANGED)
    narrowed = page.locator("#parallel-status").text_content() or ""
    many = opened.ask(DRAWN)
    assert many["share"] > few["share"], "all trials leave no more ink than fifty"
    page.locator("#parallel-reset").click()
    whole = page.locator("#parallel-status").text_content() or ""
    assert whole.startswith("50 of ")
    assert re.fullmatch(r"[\d,]+ of [\d,]+ trials shown\.", narrowed)
    shown, total = (int(n.replace(",", "")) for n in re.findall(r"[\d,]+", narrowed))
    assert 0 < shown < total <= 5000
    assert opened.ask(DRAWN)["hash"] == few["hash"]


def test_28_the_range_of_a_share_is_told_in_per_cent(
    open_page: Open, story_of: Callable[[str], ReportedRun]
) -> None:
    opened = open_page("typical")
    opened.open_details()
    axis = opened.page.locator("#parallel-axis")
    axis.select_option(index=axis.locator("option").count() - 1)
    words = opened.page.locator("#parallel-range").text_content() or ""
    found = re.fullmatch(r"val_accuracy from ([\d.]+) % to ([\d.]+) %", words)
    assert found is not None, words
    best = max(trial.score or 0.0 for trial in story_of("typical").trials)
    assert float(found[1]) < float(found[2]) == round(100 * best, 2)


def test_29_what_the_chart_of_all_hyperparameters_leaves_out_is_said(open_page: Open) -> None:
    page = open_page("large").page
    words = " ".join((page.locator("#mattered").text_content() or "").split())
    total = int(
        (page.locator("#parallel-count option").last.get_attribute("value") or "").replace(",", "")
    )
    assert re.search(r"This section uses [\d,]+ of 5,000 trials, by their ", words)
    assert "It does not use starting settings, or trials that failed, were stopped" in words
    drawn = re.search(r"The charts show ([\d,]+) of the ([\d,]+) trials, evenly spaced", words)
    assert drawn is not None
    scored = int(drawn[2].replace(",", ""))
    assert int(drawn[1]) < scored
    assert total == scored or f"the {total:,} best of {scored:,}" in words
