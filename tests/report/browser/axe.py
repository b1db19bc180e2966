"""axe-core, put into a page past the content policy, and without a request."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from tests.report.browser.conftest import Opened

SOURCE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]


def axe(opened: Opened) -> dict[str, Any]:
    """Violations of WCAG A and AA, with rule, count, first place and problem; and passed rules."""
    opened.ask(SOURCE)
    found: dict[str, Any] = opened.ask(
        """async (tags) => {
            const { violations, passes } = await axe.run(document, {
                runOnly: { type: "tag", values: tags }, resultTypes: ["violations"],
                preload: false });
            return { violations: violations.map((one) =>
                [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200),
                    one.nodes[0].failureSummary]),
                passes: passes.map((one) => one.id) };
        }""",
        TAGS,
    )
    return found
