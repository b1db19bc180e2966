"""The picture of a report in the README: the first screen of a run's page.

`python -m docs.site.picture RUN/report.html docs/report.png` takes it with Chromium, Chrome or the
browser that `TUNER_CHROMIUM` names. Make the run with `python -m tuner run drawn_faces --preset
quick --seed 0`, and quote its numbers next to the picture.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
# The cards with the scores end here; what follows is small print.
_SCREEN: ViewportSize = {"width": 1280, "height": 572}
# A busy machine takes its time to start a browser.
_TIMEOUT_MS = 300_000


def take(page: Path, picture: Path) -> None:
    """Write the first screen of a page as PNG, in light colours.

    Args:
        page: The file of the report.
        picture: Where to write.

    Raises:
        FileNotFoundError: If there is no browser.
    """
    found = os.environ.get("TUNER_CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), "")
    if not found:
        raise FileNotFoundError("no Chromium or Chrome; install one or name it in TUNER_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"], timeout=_TIMEOUT_MS
        )
        opened = browser.new_page(viewport=_SCREEN, color_scheme="light")
        opened.goto(page.resolve().as_uri(), timeout=_TIMEOUT_MS)
        opened.screenshot(path=picture, timeout=_TIMEOUT_MS)
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
