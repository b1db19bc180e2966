"""axe-core, put into a page past the content policy, and without a request."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from tests.report.browser.conftest import Opened

SOURCE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]

# Of all texts that share element, colour, size, weight, shadow and what lies behind them, the
# longest: their contrast is the same, axe takes milliseconds for each, and is not sure of a single
# character. What overlaps a text is not looked at for the others.
_KINDS_OF_TEXT = """() => {
    const ground = new Map();
    const behind = (one) => {
        if (!one) return "";
        if (!ground.has(one)) {
            const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(one);
            ground.set(one, [backgroundColor, backgroundImage, opacity, position].join() + "|"
                + behind(one.parentElement));
        }
        return ground.get(one);
    };
    const kinds = new Map();
    for (const one of document.querySelectorAll("body *")) {
        const isText = Array.from(one.childNodes).some((node) =>
            node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!isText || !one.checkVisibility({ visibilityProperty: true })) continue;
        const { color, fontSize, fontWeight, textShadow } = getComputedStyle(one);
        const looks = [one.localName, color, fontSize, fontWeight, textShadow, behind(one)];
        const kind = looks.join(), length = one.textContent.trim().length;
        if (!kinds.has(kind) || kinds.get(kind).length < length) kinds.set(kind, { one, length });
    }
    return Array.from(kinds.values(), ({ one }) => one);
}"""

# Before a gradient, axe tells no contrast: the shade where a table scrolls lies at its edges only.
_RUN = f"""async (tags) => {{
    for (const one of document.querySelectorAll(".scroll, nav ol")) one.style.background = "none";
    const run = (context, options) =>
        axe.run(context, {{ resultTypes: ["violations"], preload: false, ...options }});
    const texts = ({_KINDS_OF_TEXT})();
    const found = [
        await run(document, {{ runOnly: {{ type: "tag", values: tags }},
            rules: {{ "color-contrast": {{ enabled: false }} }} }}),
        await run({{ include: texts }},
            {{ runOnly: {{ type: "rule", values: ["color-contrast"] }} }}),
    ];
    return {{
        violations: found.flatMap((one) => one.violations).map((one) =>
            [one.id, one.nodes.length, one.nodes[0].html.slice(0, 200),
                one.nodes[0].failureSummary]),
        passes: found.flatMap((one) => one.passes).map((one) => one.id),
    }};
}}"""


def axe(opened: Opened) -> dict[str, Any]:
    """Violations of WCAG A and AA, with rule, count, first place and problem; and passed rules."""
    opened.ask(SOURCE)
    found: dict[str, Any] = opened.ask(_RUN, TAGS)
    return found
