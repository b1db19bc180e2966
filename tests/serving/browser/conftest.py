"""The demo page in a headless Chromium with a webcam of its own making."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.chromium import LISTEN, launched
from tests.report.browser.conftest import Opened
from tests.serving.running import Service, service

# Chromium's fake webcam, which asks nobody.
_WEBCAM = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

Visit = Callable[..., Opened]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this package: as long as it is there, an event loop runs in the thread."""
    with launched(*_WEBCAM) as found:
        yield found


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service for all tests here."""
    with service(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(scope="package")
def context_of(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A context by its options, made once: each has a process of its own."""
    made: dict[str, BrowserContext] = {}

    def make(**options: Any) -> BrowserContext:
        name = json.dumps(options, sort_keys=True)
        if name not in made:
            made[name] = browser.new_context(**{"viewport": DESKTOP, **options})
            made[name].add_init_script(LISTEN)
            made[name].grant_permissions(["camera"])
        return made[name]

    yield make
    for context in made.values():
        context.close()


@pytest.fixture
def visit(context_of: Callable[..., BrowserContext], served: Service) -> Iterator[Visit]:
    """Opens a path of the service, or of another one, with options of a browser context."""
    pages: list[Page] = []

    def go(path: str = "", address: str = served.address, **options: Any) -> Opened:
        opened = Opened(context_of(**options).new_page(), Path())
        page = opened.page
        page.on("request", lambda one: opened.requests.append(one.url))
        page.on("console", lambda one: opened.complaints.append(f"{one.type}: {one.text}"))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on(
            "dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss())
        )
        page.goto(f"{address}{path}")
        pages.append(page)
        return opened

    yield go
    for page in pages:
        page.close()
