#!/usr/bin/env python3
"""Size of the report's page and its speed, for runs of every size.

Seconds to write and to open it, milliseconds to filter it.

    python -m benchmarks.report_size [--rounds 3]

Times are the least of the rounds: the page has no other work, the machine has. "ready" is the time
from the start of the navigation to a picture of the whole page in headless Chromium, "all trials"
that from a change of the number of trials to the next picture of the parallel coordinates. The runs
are those of tests/report/browser/stories.py.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.report.browser.canvas import CHANGED, READY
from tests.report.browser.stories import STORIES
from tuner.report.page import render

NAMES = (
    "typical",
    "pictures",
    "1 trial",
    "10 trials",
    "2 classes",
    "10 classes",
    "100 classes",
    "1000 classes",
    "large",
)


_BROWSERS = ("chromium-headless-shell", "chromium")


def main() -> None:
    """Print a row per run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    chromium = os.environ.get("TUNER_CHROMIUM") or installed
    print(
        "| run | trials | classes | KB | without pictures | written in s | ready in s | all trials"
        " in ms |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        for name in NAMES:
            print(row(name, Path(folder) / "report.html", page, rounds))
        browser.close()


def row(name: str, path: Path, page: Page, rounds: int) -> str:
    """A line of the table."""
    reported = STORIES[name]()
    written, ready, filtered = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        source = render(reported)
        written.append(time.perf_counter() - start)
        path.write_text(source, encoding="utf-8")
        page.goto(path.as_uri())
        ready.append(page.evaluate(READY) / 1000)
        count = page.locator("#parallel-count")
        filtered.append(count.evaluate(CHANGED) if count.count() else None)
    size, bare = (
        len(text.encode()) / 1000 for text in (source, re.sub(r'"data:[^"]*"', '""', source))
    )
    trials, classes = len(reported.trials), len(reported.results.data.class_names)
    times = (
        f"{min(written):.1f} | {min(ready):.2f} |"
        f" {min((f for f in filtered if f is not None), default=0):.0f}"
    )
    return f"| {name} | {trials:,} | {classes:,} | {size:.0f} | {bare:.0f} | {times} |"


if __name__ == "__main__":
    main()
