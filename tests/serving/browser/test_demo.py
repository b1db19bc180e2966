"""The demo page as a visitor uses it: files, drop, paste, webcam, keyboard, phone and dark."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator

from tests.report.browser.axe import axe
from tests.report.browser.conftest import Opened
from tests.serving.browser.conftest import DESKTOP, PHONE, Visit
from tests.serving.running import CLASSES, Service, png, service

pytestmark = pytest.mark.slow

# A file of the page's own making, handed over by an event of the document.
_HAND_OVER = """([kind, field, name, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type: "image/png" }));
    const event = new Event(kind, { bubbles: true, cancelable: true });
    Object.defineProperty(event, field, { value: transfer });
    document.body.dispatchEvent(event);
    return event.defaultPrevented;
}"""

# A webcam that needs a while for its first frame.
_PLAY_LATER = """() => {
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = async function () {
        await new Promise((done) => { window.playNow = done; });
        return play.call(this);
    };
}"""


def results(opened: Opened, n: int) -> list[Locator]:
    """The results, the newest first, once there are so many."""
    found = opened.page.locator("#results > li")
    found.nth(n - 1).wait_for()
    return found.all()


def a_file(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def assert_stays_here(opened: Opened, served: Service) -> None:
    """Nothing was asked of any other machine, and nothing was complained of."""
    hosts = {urlsplit(address.removeprefix("blob:")).netloc for address in opened.requests}
    assert hosts - {""} == {urlsplit(served.address).netloc}
    assert opened.ask("() => window.violations") == []
    assert opened.complaints == []


def test_uploaded_pictures_get_bars_and_saliency(visit: Visit, served: Service) -> None:
    opened = visit()
    files = [a_file("night.png", png(20)), a_file("day.png", png(230))]
    opened.page.set_input_files("#files", files)
    day, night = results(opened, 2)
    assert day.locator("h3").inner_text() == CLASSES[1]
    assert night.locator("h3").inner_text() == CLASSES[0]
    shown = day.locator(".bars tr").all()
    assert [one.inner_text().split() for one in shown] == [
        [CLASSES[1], "90.2", "%"],
        [CLASSES[0], "9.8", "%"],
    ]
    widths = [one.locator(".fill").evaluate("one => one.style.width") for one in shown]
    assert widths == ["90.2%", "9.8%"]
    assert day.locator("img").evaluate_all("all => all.map((one) => one.alt)") == [
        "Your picture",
        "Where the class is sensitive",
    ]
    assert day.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)") == [8, 8]
    assert opened.page.get_by_role("status").inner_text() == f"day.png: {CLASSES[1]}, 90.2 %"
    assert_stays_here(opened, served)


def test_names_are_text_and_no_elements(visit: Visit, served: Service) -> None:
    opened = visit()
    name = '<img src=x onerror="alert(1)">.png'
    opened.page.set_input_files("#files", [a_file(name, png(230))])
    (found,) = results(opened, 1)
    assert found.locator(".name").inner_text() == name
    assert opened.page.locator("h1").inner_text() == "dark or <b>bright</b>?"
    assert opened.page.locator("#model").inner_text() == " · Brightness <i>".upper()
    assert opened.page.locator("main b, h1 b, header i, img[src=x]").count() == 0
    assert_stays_here(opened, served)


@pytest.mark.parametrize(("kind", "field"), [("drop", "dataTransfer"), ("paste", "clipboardData")])
def test_a_picture_is_dropped_or_pasted(
    visit: Visit, served: Service, kind: str, field: str
) -> None:
    opened = visit()
    content = base64.b64encode(png(230)).decode()
    was_prevented = opened.ask(_HAND_OVER, [kind, field, "given.png", content])
    # Else the browser would leave the page for the picture.
    assert was_prevented is (kind == "drop")
    (found,) = results(opened, 1)
    assert found.locator(".name").inner_text() == "given.png"
    assert_stays_here(opened, served)


def test_a_file_that_is_no_picture_is_told(visit: Visit) -> None:
    opened = visit()
    opened.page.set_input_files("#files", [a_file("a.png", b"no picture")])
    (found,) = results(opened, 1)
    assert found.locator("h3").inner_text() == "No prediction"
    assert found.locator(".alert").inner_text() == (
        "cannot be read as an image: not an image; give an image that other programs can open,"
        " such as JPEG or PNG."
    )
    assert found.locator("img").count() == 0
    opened.page.set_input_files("#files", [a_file("b.png", png())])
    assert results(opened, 2)[0].locator(".name").inner_text() == "b.png"


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_webcam_takes_pictures_until_it_is_stopped(
    visit: Visit, served: Service, viewport: dict[str, int]
) -> None:
    opened = visit(viewport=viewport)
    page = opened.page
    page.click("#start")
    page.locator("#shot").wait_for()
    page.click("#shot")
    results(opened, 1)
    page.click("#shot")
    newest = results(opened, 2)[0]
    assert newest.locator(".name").inner_text() == "webcam.png"
    assert newest.locator("img").first.evaluate("one => one.naturalWidth") >= 320
    track = page.locator("#video").evaluate_handle("one => one.srcObject.getTracks()[0]")
    page.click("#stop")
    page.locator("#start").wait_for()
    assert track.evaluate("one => one.readyState") == "ended"
    assert not page.locator("#video").is_visible()
    assert_stays_here(opened, served)


def test_a_picture_can_be_taken_once_the_webcam_shows_one(visit: Visit) -> None:
    opened = visit()
    opened.ask(_PLAY_LATER)
    opened.page.click("#start")
    opened.page.wait_for_function("() => window.playNow")
    assert not opened.page.locator("#shot").is_visible()
    assert opened.page.locator("#start").is_disabled()
    opened.ask("() => window.playNow()")
    opened.page.locator("#shot").click()
    results(opened, 1)


def test_the_keyboard_alone_reaches_everything(visit: Visit) -> None:
    opened = visit()
    page = opened.page
    page.locator("h1", has_text="dark or").wait_for()

    def focused() -> str:
        return str(opened.ask("() => document.activeElement.id || document.activeElement.href"))

    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(focused())
    assert seen[0].endswith("#take")
    assert seen[1:3] == ["files", "start"]
    assert seen[3].endswith("/docs")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#shot").wait_for()
    page.locator("#shot:focus").wait_for()
    page.keyboard.press("Enter")
    results(opened, 1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#start:focus").wait_for()


def test_a_token_is_asked_for(visit: Visit, tmp_path: Path) -> None:
    with service(tmp_path, token="the-right-token-of-all") as closed:
        opened = visit(address=closed.address)
        page = opened.page
        page.fill("#token", "wrong")
        page.keyboard.press("Enter")
        page.locator("#wrong", has_text="refuses this token").wait_for()
        page.fill("#token", "the-right-token-of-all")
        page.keyboard.press("Enter")
        page.locator("h1", has_text="dark or").wait_for()
        assert not page.locator("#entry").is_visible()
        page.set_input_files("#files", [a_file("a.png", png())])
        results(opened, 1)
        # A page that is closed forgets it.
        assert opened.ask("() => localStorage.length + sessionStorage.length") == 0
        assert "the-right" not in "".join(opened.requests)
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "docs"])
def test_pages_are_accessible(visit: Visit, scheme: str, path: str) -> None:
    opened = visit(path, color_scheme=scheme)
    if not path:
        opened.page.set_input_files("#files", [a_file("a.png", png()), a_file("b.png", b"x")])
        results(opened, 2)
        opened.page.click("#start")
        opened.page.locator("#shot").wait_for()
    found = axe(opened)
    assert found["violations"] == []
    assert "color-contrast" in found["passes"]


@pytest.mark.parametrize("path", ["", "docs"])
@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_down_only(visit: Visit, path: str, width: int) -> None:
    opened = visit(path, viewport={"width": width, "height": 800})
    if not path:
        files = [a_file("a" * 200 + ".png", png()), a_file("b.png", b"x")]
        opened.page.set_input_files("#files", files)
        results(opened, 2)
    assert opened.ask("() => document.documentElement.scrollWidth") == width
    assert opened.ask("() => window.violations") == []
