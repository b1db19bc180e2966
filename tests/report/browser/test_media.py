"""Points 37 to 40: on paper, in the dark, in the clipboard, and from the page of all runs."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pypdfium2 import PdfDocument

from tests.report.browser.axe import axe
from tests.report.browser.canvas import DRAWN, READY
from tests.report.browser.conftest import Open

pytestmark = pytest.mark.slow

# A4 less the printer's margins of 1 cm, in CSS pixels.
PAPER = {"width": 718, "height": 1047}


@pytest.mark.parametrize("story", ["typical", "pictures", "20 classes", "hostile", "real"])
def test_37_on_paper_everything_is_open_light_and_inside_the_page(
    open_page: Open, story: str
) -> None:
    opened = open_page(story, viewport=PAPER, color_scheme="dark")
    printed = opened.page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    # Printing has opened what was closed.
    assert opened.page.locator("details:not([open])").count() == 0
    # Of what is seen on a screen, paper may lack what can only be clicked on, and the
    # JSON, which repeats the YAML.
    unseen = "main :is(button.copy, .controls, details.screen)"
    controls = " ".join(opened.page.locator(unseen).all_inner_texts())
    words = set(map(_letters, opened.page.locator("main").inner_text().split())) - set(
        map(_letters, controls.split())
    )
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert (
        opened.ask("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    )
    assert opened.ask("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not opened.page.locator("nav").is_visible()
    assert opened.ask("() => document.documentElement.scrollWidth") <= PAPER["width"]
    cut = opened.ask(
        """(width) => Array.from(document.querySelectorAll("main *")).filter((one) => {
            if (one.closest("svg, option, select") || !one.checkVisibility()) return false;
            const style = getComputedStyle(one), box = one.getBoundingClientRect();
            if (style.position === "absolute") return false;
            const clips = style.overflow !== "visible"
                && (one.scrollWidth > one.clientWidth + 1
                    || one.scrollHeight > one.clientHeight + 1);
            return clips || box.right > width + 1;
        }).map((one) => one.outerHTML.slice(0, 160)).slice(0, 5)""",
        PAPER["width"],
    )
    assert cut == []
    if story != "hostile":  # A PDF has right-to-left text in the order of the eye.
        pages = PdfDocument(printed)
        on_paper = _letters("".join(page.get_textpage().get_text_range() for page in pages))
        assert len(words) > 300
        assert [word for word in words if word not in on_paper] == []


def _letters(text: str) -> str:
    """Without spaces, which a PDF sets by position, and with ligatures as their letters."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_37_lists_are_open_on_paper_without_javascript_too(open_page: Open) -> None:
    opened = open_page("typical", viewport=PAPER, java_script_enabled=False)
    table = opened.page.locator("details:not([open]) [aria-label='Every seed'] table")
    assert table.evaluate("(one) => one.checkVisibility({ contentVisibilityAuto: true })") is False
    opened.page.emulate_media(media="print")
    assert table.evaluate("(one) => one.checkVisibility({ contentVisibilityAuto: true })") is True


@pytest.mark.parametrize(("width", "is_folded"), [(390, True), (1280, False)])
def test_37_what_is_secondary_is_folded_on_phones_alone(
    open_page: Open, width: int, *, is_folded: bool
) -> None:
    opened = open_page("typical", viewport={"width": width, "height": 844})
    folded = opened.page.locator("details.phone")
    assert folded.count() > 3
    summary = folded.first.locator("summary")
    inner = folded.first.locator(":scope > :not(summary)").first
    assert summary.is_visible() is is_folded
    shown = "one => one.checkVisibility({contentVisibilityAuto: true})"
    assert inner.evaluate(shown) is not is_folded
    if is_folded:
        summary.click()
        assert inner.evaluate(shown)


def test_38_switching_the_theme_draws_the_canvas_anew(open_page: Open) -> None:
    opened = open_page("typical", color_scheme="light")
    light = opened.ask(DRAWN)
    assert light["share"] > 0.01, "the canvas is blank"
    opened.page.emulate_media(color_scheme="dark")
    opened.ask(READY)
    dark = opened.ask(DRAWN)
    assert dark["hash"] != light["hash"]
    assert dark["names"] >= 4.5, "the names are drawn in colours of the light theme"
    opened.page.emulate_media(color_scheme="light")
    opened.ask(READY)
    assert opened.ask(DRAWN)["hash"] == light["hash"]


def test_38_the_canvas_is_light_on_paper(open_page: Open) -> None:
    opened = open_page("typical", color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    opened.ask(READY)
    assert opened.ask(DRAWN)["names"] >= 4.5, "the names are drawn in colours of the dark theme"


@pytest.mark.parametrize("denied", [False, True], ids=["allowed", "denied"])
def test_39_copy_fills_the_clipboard_or_selects_the_text(open_page: Open, denied: bool) -> None:
    granted = {} if denied else {"permissions": ["clipboard-read", "clipboard-write"]}
    opened = open_page("typical", **granted)
    page = opened.page
    if denied:
        opened.ask(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('',"
            " 'NotAllowedError')); }"
        )
    # Some of them can be opened first.
    opened.ask("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    blocks = page.locator("pre")
    assert blocks.count() >= 5
    for block in blocks.all():
        text = block.text_content()
        button = block.locator("xpath=preceding-sibling::button[1]")
        button.click()
        button.get_by_text("Selected" if denied else "Copied").wait_for()
        found = opened.ask(
            "() => getSelection().toString()" if denied else "() => navigator.clipboard.readText()"
        )
        assert found.strip() == (text or "").strip()
    assert opened.complaints == []


def test_40_links_of_the_page_of_all_runs_lead_to_their_pages(open_page: Open, real: Path) -> None:
    opened = open_page(real.parents[1] / "index.html")
    page = opened.page
    links = page.locator("main a:not([href^='#'])")
    addresses = [one.evaluate("(one) => one.href") for one in links.all()]
    assert (real / "report.html").as_uri() in addresses
    assert all(Path(unquote(urlsplit(one).path)).is_file() for one in addresses), addresses
    assert all(
        not (one.get_attribute("href") or "/").startswith(("/", "file:", "http"))
        for one in links.all()
    )
    links.first.click()
    page.locator("#verdict .sentence").wait_for()
    assert opened.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_40_page_of_all_runs_is_as_accessible_as_a_report(
    open_page: Open, real: Path, scheme: str
) -> None:
    opened = open_page(real.parents[1] / "index.html", color_scheme=scheme)
    assert opened.requests == [opened.path.as_uri()]
    assert opened.ask("() => violations") == []
    assert axe(opened)["violations"] == []
