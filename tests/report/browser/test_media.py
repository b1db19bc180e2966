"""Points 37 to 40: on paper, in the dark, in the clipboard, and from the page of all runs."""

from __future__ import annotations

import re

import pytest

from tests.report.browser.conftest import Open

# A4 less the printer's margins of 1 cm, in CSS pixels.
PAPER = {"width": 718, "height": 1047}


@pytest.mark.parametrize("story", ["typical", "pictures", "20 classes", "hostile", "real"])
def test_37_on_paper_everything_is_open_light_and_inside_the_page(open_page: Open, story: str) -> None:
    opened = open_page(story, viewport=PAPER, color_scheme="dark")
    printed = opened.page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    # Printing has opened what was closed.
    assert opened.page.locator("details:not([open])").count() == 0
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.ask("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.ask("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not opened.page.locator("nav").is_visible()
    assert opened.ask("() => document.documentElement.scrollWidth") <= PAPER["width"]
    cut = opened.ask(
        """(width) => Array.from(document.querySelectorAll("main *")).filter((one) => {
            if (one.closest("svg, option, select") || !one.checkVisibility()) return false;
            const style = getComputedStyle(one), box = one.getBoundingClientRect();
            if (style.position === "absolute") return false;
            const clips = style.overflow !== "visible"
                && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1);
            return clips || box.right > width + 1;
        }).map((one) => one.outerHTML.slice(0, 160)).slice(0, 5)""",
        PAPER["width"],
    )
    assert cut == []


def test_37_lists_are_open_on_paper_without_javascript_too(open_page: Open) -> None:
    opened = open_page("typical", viewport=PAPER, java_script_enabled=False)
    table = opened.page.locator("details:not([open]) [aria-label='Every seed'] table")
    assert table.evaluate("(one) => one.checkVisibility({ contentVisibilityAuto: true })") is False
    opened.page.emulate_media(media="print")
    assert table.evaluate("(one) => one.checkVisibility({ contentVisibilityAuto: true })") is True


@pytest.mark.parametrize("denied", [False, True], ids=["allowed", "denied"])
def test_39_copy_fills_the_clipboard_or_selects_the_text(open_page: Open, denied: bool) -> None:
    opened = open_page("typical")
    page = opened.page
    if denied:
        opened.ask("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError')); }")
    else:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    blocks = page.locator("pre")
    assert blocks.count() >= 5
    for block in blocks.all():
        text = block.text_content()
        button = block.locator("xpath=preceding-sibling::button[1]")
        button.click()
        button.get_by_text("Selected" if denied else "Copied").wait_for()
        found = opened.ask("() => getSelection().toString()" if denied else "() => navigator.clipboard.readText()")
        assert found.strip() == (text or "").strip()
    assert opened.complaints == []
