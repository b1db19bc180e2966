"""Points 1 to 9: the page opens anywhere, at once, and does not reveal its machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.report.browser.canvas import READY
from tests.report.browser.conftest import PERSON, Open, Read

pytestmark = pytest.mark.slow

EVERY = (
    "typical",
    "large",
    "hostile",
    "pictures",
    "not finite",
    "in progress",
    "all failed",
    "real",
)
CHARTS = "svg[role=img]"


@pytest.mark.parametrize("story", EVERY)
def test_01_02_03_opens_from_disk_without_request_error_or_violation(
    open_page: Open, story: str
) -> None:
    opened = open_page(story)
    opened.open_details()
    assert opened.requests == [opened.path.as_uri()], "requests other than the page itself"
    assert opened.complaints == []
    assert opened.ask("() => violations") == []


@pytest.mark.parametrize("story", EVERY)
def test_03_policy_is_strict_and_no_attribute_evades_it(page_read: Read, story: str) -> None:
    opened = page_read(story)
    policy = (
        opened.page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
        or ""
    )
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    assert allowed["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[^' ]+'", allowed["style-src"])
    assert re.fullmatch(r"'sha256-[^' ]+'", allowed["script-src"])
    assert "unsafe" not in policy
    # As the file has it: a script may set styles through the object model, which the policy allows.
    attributes = opened.ask(
        """(source) => {
            const parsed = new DOMParser().parseFromString(source, "text/html");
            return Array.from(parsed.querySelectorAll("*"))
                .flatMap((one) => one.getAttributeNames());
        }""",
        opened.source,
    )
    assert len(attributes) > 100
    assert [name for name in attributes if name == "style" or name.startswith("on")] == []


def test_03_a_violation_would_be_seen(open_page: Open, tmp_path: Path) -> None:
    opened = open_page("typical")
    broken = tmp_path / "broken.html"
    broken.write_text(
        opened.source.replace("<h1>", '<h1 style="color: red"><img src="https://localhost/a.png">')
    )
    opened = open_page(broken)
    assert {one.split(":")[0] for one in opened.ask("() => violations")} == {
        "style-src-attr",
        "img-src",
    }
    assert len(opened.complaints) >= 2


def test_04_ready_within_two_seconds_at_5000_trials_and_100_classes(open_page: Open) -> None:
    # The least of three: the machine has other work, and the page does not.
    seconds = [open_page("large").ask(READY) / 1000 for _ in range(3)]
    assert min(seconds) < 2.0, seconds


@pytest.mark.parametrize(
    ("story", "limit"),
    [
        ("typical", 160_000),
        ("large", 600_000),
        ("1000 classes", 3_000_000),
        ("pictures", 3_000_000),
    ],
)
def test_05_size_stays_within_its_limit(page_read: Read, story: str, limit: int) -> None:
    size = len(page_read(story).source.encode())
    assert size <= limit


def test_05_real_page_without_its_pictures_is_small(page_read: Read) -> None:
    source = page_read("real").source
    size = len(source.encode())
    assert size <= 3_000_000
    without_gallery = re.sub(
        r"<h3>Example images</h3>.*?</section>", "</section>", source, flags=re.DOTALL
    )
    size = len(without_gallery.encode())
    assert size <= 150_000


def test_06_works_in_a_sandboxed_frame_without_the_same_origin(
    open_page: Open, tmp_path: Path
) -> None:
    inside = open_page("typical").path
    outside = tmp_path / "outside.html"
    outside.write_text(
        '<!doctype html><title>t</title><iframe sandbox="allow-scripts"'
        f' src="{inside.as_uri()}"></iframe>'
    )
    opened = open_page(outside, viewport={"width": 1280, "height": 720})
    frame = opened.page.frames[1]
    assert frame.evaluate("() => origin") == "null"
    assert frame.locator("#verdict .sentence").text_content()
    frame.locator("#models button.sort").nth(1).evaluate("(button) => button.click()")
    assert frame.locator("#models th[aria-sort]").count() == 1
    assert frame.evaluate("() => violations") == []
    assert opened.complaints == []


@pytest.mark.parametrize("story", ["typical", "real"])
def test_07_verdict_tables_and_charts_are_there_without_javascript(
    open_page: Open, story: str
) -> None:
    opened = open_page(story, java_script_enabled=False)
    page = opened.page
    assert page.locator("#verdict .sentence").is_visible()
    assert page.locator("#models table").first.is_visible()
    assert page.locator("#errors table.matrix").first.is_visible()
    charts = page.locator(CHARTS)
    closed = page.locator(f"details:not([open], .phone) {CHARTS}")
    assert charts.count() >= 8
    assert sum(one.is_visible() for one in charts.all()) == charts.count() - closed.count()
    # What would do nothing is not offered.
    assert [
        one.evaluate("e => e.outerHTML")
        for one in page.locator("button, select, input").all()
        if one.is_visible()
    ] == []
    assert not any(one.is_visible() for one in page.locator("canvas").all())


def test_09_real_page_tells_no_path_no_person_and_no_uuid(open_page: Open, real: Path) -> None:
    opened = open_page("real")
    source = opened.source
    assert PERSON in str(real), "the fixture no longer hides a name to be found"
    for secret in (PERSON, str(real), str(Path.home()) + "/", str(Path(__file__).parents[3])):
        assert secret not in source
    text = opened.ask("() => document.body.textContent")
    assert re.findall(r"(?<![\w.…/])/(?:home|root|tmp|usr|var|Users)/\S*", text) == []
    assert re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", source) == []


def test_09_results_of_the_real_run_are_json_of_the_strict_kind(real: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    json.loads((real / "results.json").read_text(), parse_constant=refuse)
