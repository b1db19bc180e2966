"""A headless Chromium for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

# Asked for before the page's own script runs; the content policy does not bind the test's scripts.
LISTEN = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.violatedDirective}: ${event.sample || event.blockedURI}`));
"""

_WITH_WINDOWS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser; as long as it is there, an event loop runs in the thread."""
    # The first has no window to draw, and takes a fifth less of the processor.
    installed = filter(None, map(shutil.which, ("chromium-headless-shell", *_WITH_WINDOWS)))
    chromium = os.environ.get("TUNER_CHROMIUM") or next(installed, None)
    if chromium is None:
        pytest.fail(
            "no Chromium or Chrome: these tests look at pages in a browser. Install one"
            " (Debian: apt-get install chromium-headless-shell), or name it in TUNER_CHROMIUM.",
            pytrace=False,
        )
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", *arguments]
        )
        yield found
        found.close()
