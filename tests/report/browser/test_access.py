"""Points 30 to 36: low vision, no colours, keyboard, phone and screen reader."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from tests.report.browser.axe import axe
from tests.report.browser.canvas import DRAWN
from tests.report.browser.conftest import Open, Read

pytestmark = pytest.mark.slow

# Deuteranopia on linear RGB (Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009, severity 1.0).
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])

_FOCUSABLE = "a[href], button, summary, select, input, [tabindex='0']"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("story", ["typical", "in progress", "hostile", "real"])
def test_30_axe_finds_no_violation_of_wcag_a_and_aa(
    open_page: Open, story: str, scheme: str
) -> None:
    opened = open_page(story, color_scheme=scheme)
    opened.open_details()
    found = axe(opened)
    assert found["violations"] == []
    assert {"color-contrast", "document-title", "svg-img-alt"} <= set(found["passes"])


def test_30_one_faint_text_among_many_is_a_violation(open_page: Open) -> None:
    opened = open_page("typical", color_scheme="light")
    opened.open_details()
    opened.ask("""() => {
        const cells = document.querySelectorAll("[aria-label=Trials] tbody td");
        cells[cells.length >> 1].style.color = "#ccc";
    }""")
    assert [(rule, n) for rule, n, *_ in axe(opened)["violations"]] == [("color-contrast", 1)]


@pytest.mark.parametrize("story", ["typical", "pictures", "real"])
def test_31_tab_reaches_every_control_with_a_visible_focus_and_no_trap(
    open_page: Open, story: str
) -> None:
    # Without motion, so that what gets the focus is in sight at once.
    opened = open_page(story, reduced_motion="reduce")
    expected = opened.ask(
        """(focusable) => {
            window.wanted = Array.from(document.querySelectorAll(focusable)).filter((one) =>
                one.checkVisibility() && !one.disabled
                && !one.closest("details:not([open], .phone) > :not(summary)"));
            return wanted.length;
        }""",
        _FOCUSABLE,
    )
    assert expected > 20
    reached, unseen = set(), []
    for _ in range(expected + 1):
        opened.page.keyboard.press("Tab")
        number, seen, what = opened.ask("""() => {
                const one = document.activeElement;
                const style = getComputedStyle(one), box = one.getBoundingClientRect();
                const outlined = style.outlineStyle !== "none"
                    && parseFloat(style.outlineWidth) >= 1;
                const inside = box.bottom > 0 && box.top < innerHeight
                    && box.right > 0 && box.left < innerWidth;
                return [wanted.indexOf(one), outlined && inside, one.outerHTML.slice(0, 120)];
            }""")
        if number == -1:
            break
        reached.add(number)
        if not seen:
            unseen.append(what)
    assert len(reached) == expected, "not every control is reached"
    assert unseen == []
    assert what.startswith("<body"), "the focus never leaves the page"


@pytest.mark.parametrize("story", ["typical", "pictures", "large", "real"])
def test_32_every_picture_has_a_name_and_a_table_in_its_section_or_linked_from_there(
    page_read: Read, story: str
) -> None:
    found = page_read(story).ask("""() => Array.from(document.querySelectorAll("svg, img, canvas"))
            .filter((one) => !one.closest("[aria-hidden=true]"))
            .map((one) => {
                const labels = (one.getAttribute("aria-labelledby") ?? "").split(" ")
                    .map((id) => document.getElementById(id)?.textContent);
                const name = [one.alt, one.ariaLabel, ...labels].filter(Boolean).join(" ");
                const section = one.closest("section");
                const elsewhere = Array.from(section.querySelectorAll("a[href^='#']"))
                    .find((link) => document.querySelector(`${link.getAttribute("href")} table`));
                const equivalent = section.querySelector("table") ?? elsewhere;
                return { name, equivalent: Boolean(equivalent), html: one.outerHTML.slice(0, 120) };
            })""")
    assert len(found) >= 4
    assert [one["html"] for one in found if not one["name"].strip()] == []
    assert [one["html"] for one in found if not one["equivalent"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_33_lines_and_names_on_the_canvas_stand_out_from_the_ground(
    open_page: Open, scheme: str
) -> None:
    opened = open_page("typical", color_scheme=scheme)
    drawn = opened.ask(DRAWN)
    assert drawn["share"] > 0.01, "the canvas is blank"
    assert drawn["names"] >= 4.5, drawn
    assert drawn["lines"] >= 3, drawn


@pytest.mark.parametrize("width", [360, 640])
@pytest.mark.parametrize(
    "story", ["typical", "pictures", "hostile", "10 classes", "100 classes", "in progress", "real"]
)
def test_34_nothing_scrolls_sideways_on_a_phone_or_at_twice_the_size(
    open_page: Open, story: str, width: int
) -> None:
    # A window of 1280 pixels at 200 % is one of 640.
    opened = open_page(story, viewport={"width": width, "height": 720})
    for _ in range(2):
        assert opened.ask("() => document.documentElement.scrollWidth") <= width
        opened.ask("() => scrollTo(1000, 0)")
        assert opened.ask("() => scrollX") == 0
        opened.open_details()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_35_models_are_told_apart_without_red_and_green(open_page: Open, scheme: str) -> None:
    page = open_page("typical", color_scheme=scheme).page
    symbols = page.locator("#models [aria-label='Models side by side'] .symbol")
    colours = [one.evaluate("(e) => getComputedStyle(e).color") for one in symbols.all()]
    assert len(colours) == 3
    seen = [_lab(colour) for colour in colours]
    for (a, one), (b, other) in combinations(zip(colours, seen, strict=True), 2):
        assert np.linalg.norm(one - other) > 20, f"{a} and {b} look alike"
    assert len(set(symbols.all_text_contents())) == 3
    # The marks of the chart are three shapes, too, and the curves two dashes.
    shapes = (
        page.locator("#models svg[role=img]")
        .first.locator("defs path")
        .evaluate_all("(all) => all.map((e) => e.getAttribute('d'))")
    )
    assert len(set(shapes)) >= 3
    dashes = page.locator("#curves svg[role=img]").first.locator("path[stroke-dasharray]")
    assert dashes.count() >= 1


@pytest.mark.parametrize(
    "story", ["typical", "pictures", "large", "hostile", "in progress", "all failed", "real"]
)
def test_36_headings_come_in_order_and_ids_once(page_read: Read, story: str) -> None:
    opened = page_read(story)
    levels = opened.ask(
        "() => Array.from(document.querySelectorAll('h1, h2, h3, h4, h5, h6'), (one) =>"
        " +one.localName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    ids = opened.ask("() => Array.from(document.querySelectorAll('[id]'), (one) => one.id)")
    assert sorted(ids) == sorted(set(ids))
    empty = (
        "() => Array.from(document.querySelectorAll('h1, h2, h3, h4')).filter((one) =>"
        " !one.textContent.trim()).length"
    )
    assert opened.ask(empty) == 0


def _lab(colour: str) -> np.ndarray:
    """A CSS colour as somebody without green cones sees it, in CIELAB (D65)."""
    rgb = np.array([float(n) for n in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.clip(
        TO_XYZ @ np.clip(DEUTERANOPIA @ linear, 0, 1) / [0.9505, 1.0, 1.089], 1e-9, None
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])
