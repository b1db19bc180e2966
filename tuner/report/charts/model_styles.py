"""How models are told apart on the page and in every chart."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.report.charts.svg import BASELINE, EFFICIENTNET, TUNED


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStyle:
    """How a model is told apart in every chart: by colour, marker and dash, never by colour alone.

    Attributes:
        css_class: Of its swatch and card on the page.
        colour: Hexadecimal.
        marker: matplotlib's.
        symbol: The marker as a character, for legends in text.
        dash: matplotlib's line style.
    """

    css_class: str
    colour: str
    marker: str
    symbol: str
    dash: str | tuple[int, tuple[int, ...]]

    @property
    def line(self) -> str:
        """The line in words, for legends in text."""
        if isinstance(self.dash, str):
            return {"-": "solid", "--": "dashed", "-.": "dashes and dots"}[self.dash]
        lengths = self.dash[1]
        if max(lengths) == 1:
            return "dotted"
        return "dashes and dots" if len(lengths) > 2 else "dashed"


_STYLES = {
    "tuned": ModelStyle(css_class="tuned", colour=TUNED, marker="o", symbol="●", dash="-"),
    "tuned_tta": ModelStyle(
        css_class="tuned", colour=TUNED, marker="P", symbol="✚", dash=(0, (8, 2))
    ),
    "ensemble": ModelStyle(
        css_class="tuned", colour=TUNED, marker="*", symbol="★", dash=(0, (5, 1, 1, 1))
    ),
    "baseline": ModelStyle(
        css_class="baseline", colour=BASELINE, marker="s", symbol="■", dash="--"
    ),
    "baseline_published": ModelStyle(
        css_class="baseline", colour=BASELINE, marker="D", symbol="◆", dash=(0, (3, 3))
    ),
    "efficientnet_b2": ModelStyle(
        css_class="efficientnet", colour=EFFICIENTNET, marker="^", symbol="▲", dash="-."
    ),
}
_OTHER_STYLE = ModelStyle(
    css_class="baseline", colour=BASELINE, marker="v", symbol="▼", dash=(0, (1, 1))
)
# Of further backbones, by a number that the name gives: two of them are seldom the same.
_MARKS = (("v", "▼"), ("<", "◀"), (">", "▶"), ("p", "⬟"), ("h", "⬢"), ("d", "♦"))
_DASHES: tuple[tuple[int, tuple[int, ...]], ...] = (
    (0, (1, 1)),
    (0, (4, 1, 1, 1)),
    (0, (2, 2)),
    (0, (6, 2, 2, 2)),
)


def style_of(model_name: str) -> ModelStyle:
    """The style of a model, by `ModelResult.name`."""
    if model_name in _STYLES or not model_name.startswith("efficientnet"):
        return _STYLES.get(model_name, _OTHER_STYLE)
    number = sum(map(ord, model_name))
    marker, symbol = _MARKS[number % len(_MARKS)]
    return ModelStyle(
        css_class="efficientnet",
        colour=EFFICIENTNET,
        marker=marker,
        symbol=symbol,
        dash=_DASHES[number % len(_DASHES)],
    )
