"""One headless Chromium for all tests here, and pages of hand-written and real runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.chromium import LISTEN, launched
from tests.report.browser.stories import STORIES
from tests.shared_folder import shared_folder
from tuner.report.page import render
from tuner.report.reported_run import ReportedRun

# Stands in a folder's and a person's name, so that a page that tells either is found out.
PERSON = "annabelle-lee"


@dataclass
class Opened:
    """A page in the browser, with what it did.

    Attributes:
        page: Playwright's.
        path: The file.
        requests: Addresses that were asked for, the page's own included.
        complaints: Messages of the console, uncaught errors and dialogs.
    """

    page: Page
    path: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    def ask(self, script: str, argument: object = None) -> Any:
        """What a function of JavaScript returns, called with this argument."""
        return self.page.evaluate(script, argument)

    def open_details(self) -> None:
        """Open everything that can be opened."""
        self.ask(
            "() => { for (const one of document.querySelectorAll('details')) one.open = true; }"
        )


Open = Callable[..., Opened]
Read = Callable[[str], Opened]

WINDOW: ViewportSize = {"width": 1280, "height": 720}

# Of drawn faces; drawing all 3,000 of the data set takes ten seconds.
_N_FACES = 600

# That are open at a time; each takes some 50 MB.
MOST_PAGES = 12


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this package: as long as it is there, an event loop runs in the thread."""
    with launched() as found:
        yield found


@pytest.fixture(scope="package")
def story_of() -> Callable[[str], ReportedRun]:
    """A story by its name, told once."""
    told: dict[str, ReportedRun] = {}

    def tell(name: str) -> ReportedRun:
        if name not in told:
            told[name] = STORIES[name]()
        return told[name]

    return tell


@pytest.fixture(scope="package")
def page_of(
    story_of: Callable[[str], ReportedRun], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The page of a story, written once for all processes of the tests."""
    folder = shared_folder(tmp_path_factory) / "stories"
    folder.mkdir(exist_ok=True)

    def write(name: str) -> Path:
        path = folder / f"{name}.html"
        with filelock.FileLock(f"{path}.lock"):
            if not path.exists():
                path.write_text(render(story_of(name)), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="package")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run, made by the command line, once for all processes of the tests."""
    place = shared_folder(tmp_path_factory) / PERSON
    with filelock.FileLock(f"{place}.lock"):
        if not place.exists():
            _run_drawn_faces(place.with_suffix(".part")).rename(place)
    (report,) = place.glob("reports/drawn_faces/*/report.html")
    return report.parent


def _run_drawn_faces(place: Path) -> Path:
    cards = place / "datasets"
    cards.mkdir(parents=True, exist_ok=True)
    card = (Path(__file__).parents[3] / "datasets" / "drawn_faces.yaml").read_text(encoding="utf-8")
    fewer = card.replace("n: 3000", f"n: {_N_FACES}")
    assert fewer != card
    (cards / "drawn_faces.yaml").write_text(fewer, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tuner",
            "run",
            "drawn_faces",
            "--preset",
            "quick",
            "--limit",
            "120",
            "--workers",
            "1",
            "--set",
            "retrain.epochs=3",
            # A network as large as the usual third one takes most of the time, and no more room.
            "--set",
            "compare=[baseline]",
            "--set",
            "retrain.seeds=1",
            "--set",
            "retrain.finalists=1",
        ],
        cwd=place,
        env={**os.environ, "LOGNAME": PERSON, "USER": PERSON},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def _opened(context: BrowserContext, path: Path) -> Opened:
    """A file in a page of its own."""
    opened = Opened(context.new_page(), path)
    opened.page.on("request", lambda one: opened.requests.append(one.url))
    opened.page.on("console", lambda one: opened.complaints.append(f"{one.type}: {one.text}"))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on(
        "dialog", lambda dialog: (opened.complaints.append(dialog.message), dialog.dismiss())
    )
    opened.page.goto(path.as_uri())
    return opened


@pytest.fixture(scope="package")
def context_of(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A context by its options, made once: each has a process of its own."""
    made: dict[str, BrowserContext] = {}

    def make(**options: Any) -> BrowserContext:
        name = json.dumps(options, sort_keys=True)
        if name not in made:
            made[name] = browser.new_context(**{"viewport": WINDOW, **options})
            made[name].add_init_script(LISTEN)
        return made[name]

    yield make
    for context in made.values():
        context.close()


@pytest.fixture
def open_page(
    context_of: Callable[..., BrowserContext],
    page_of: Callable[[str], Path],
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """Opens a story by its name, the `real` run, or a file, with options of a browser context."""
    pages: list[Page] = []

    def go(what: str | Path, **options: Any) -> Opened:
        path = request.getfixturevalue("real") / "report.html" if what == "real" else what
        path = page_of(path) if isinstance(path, str) else path
        opened = _opened(context_of(**options), path)
        pages.append(opened.page)
        return opened

    yield go
    for page in pages:
        page.close()


@pytest.fixture(scope="package")
def page_read(
    context_of: Callable[..., BrowserContext],
    page_of: Callable[[str], Path],
    request: pytest.FixtureRequest,
) -> Iterator[Read]:
    """Opens a story by its name, or the `real` run, once for all tests that only look at it."""
    pages: OrderedDict[str, Opened] = OrderedDict()

    def go(what: str) -> Opened:
        if what not in pages:
            path = request.getfixturevalue("real") / "report.html" if what == "real" else None
            pages[what] = _opened(context_of(), path or page_of(what))
        pages.move_to_end(what)
        if len(pages) > MOST_PAGES:
            pages.popitem(last=False)[1].page.close()
        return pages[what]

    yield go
    for opened in pages.values():
        opened.page.close()
