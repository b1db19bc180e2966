"""Charts as inline SVG that a strict content policy accepts and that follow the page's light or dark colours.

matplotlib writes `style=` attributes, a `<style>` element and ids that repeat between figures; the policy would paint
the first black and refuse the second. `draw` turns them into presentation attributes with ids of their own.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BASELINE, TUNED, EFFICIENTNET, INK, GRID = "#57606A", "#0072B2", "#D55E00", "#000000", "#808080"

_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
_HREF = "{http://www.w3.org/1999/xlink}href"
# Typed loosely: matplotlib's own type of these keys changes with its version.
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tuner",
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "grid.color": GRID,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "figure.constrained_layout.use": True,
}
# The style sheet gives each of these classes a light and a dark colour.
_COLOUR_CLASS = {BASELINE.lower(): "baseline", TUNED.lower(): "tuned", EFFICIENTNET.lower(): "efficientnet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a model is told apart in every chart: by colour, marker and dash, never by colour alone.

    Attributes:
        css_class: Of its swatch and card on the page.
        colour: Hexadecimal.
        marker: matplotlib's.
        symbol: The marker as a character, for legends in text.
    """

    css_class: str
    colour: str
    marker: str
    symbol: str


_LOOKS = {
    "tuned": Look(css_class="tuned", colour=TUNED, marker="o", symbol="●"),
    "tuned_tta": Look(css_class="tuned", colour=TUNED, marker="P", symbol="✚"),
    "ensemble": Look(css_class="tuned", colour=TUNED, marker="*", symbol="★"),
    "baseline": Look(css_class="baseline", colour=BASELINE, marker="s", symbol="■"),
    "baseline_published": Look(css_class="baseline", colour=BASELINE, marker="D", symbol="◆"),
    "efficientnet_b2": Look(css_class="efficientnet", colour=EFFICIENTNET, marker="^", symbol="▲"),
}
_OTHER_BACKBONE_LOOK = Look(css_class="efficientnet", colour=EFFICIENTNET, marker="v", symbol="▼")
_OTHER_LOOK = Look(css_class="baseline", colour=BASELINE, marker="v", symbol="▼")


def look_of(model_name: str) -> Look:
    """The look of a model, by `ModelResult.name`."""
    other = _OTHER_BACKBONE_LOOK if model_name.startswith("efficientnet") else _OTHER_LOOK
    return _LOOKS.get(model_name, other)


def label_text(text: str, length: int = 30) -> str:
    """A name short enough for an axis; the table beside the chart has it in full."""
    printable = "".join(c for c in text if c.isprintable())
    return printable if len(printable) <= length else f"{printable[: length - 1]}…"


def draw(
    figure_id: str,
    title: str,
    description: str,
    paint: Callable[[Axes], None],
    size: tuple[float, float] = (4.4, 2.7),
) -> Markup:
    """Draw one chart.

    Args:
        figure_id: Unique on the page; prefixes every id inside.
        title: The chart's accessible name.
        description: What it shows, in a sentence.
        paint: Draws on the axes; colours other than the module's constants do not follow the dark theme.
        size: Width and height in inches; 4.4 is about a phone's width.

    Returns:
        An `<svg>` element, the same bytes for the same numbers.
    """
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # Texts are drawn by the browser; matplotlib only measures them, and need not know every script's glyphs.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size)
        paint(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_portable(buffer.getvalue(), figure_id, title, description))


def _portable(text: str, prefix: str, title: str, description: str) -> str:
    # Inside HTML an <svg> needs no namespace, and ElementTree would write prefixes that HTML does not know.
    root = ElementTree.fromstring(text.replace(_NAMESPACE, "", 1))
    _drop_unseen(root)
    referenced = [e.get(_HREF, "")[1:] for e in root.iter()] + re.findall(r"url\(#([^)]+)\)", text)
    ids = {old: f"{prefix}-{number}" for number, old in enumerate(dict.fromkeys(filter(None, referenced)))}
    for element in root.iter():
        _own_ids(element, ids)
        _style_to_attributes(element)
        _shorten_numbers(element)
    for group in root.iter("g"):
        _state_once(group)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {
        "class": "figure",
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-desc",
        "stroke-linejoin": "round",
    }
    for position, (tag, content) in enumerate((("title", title), ("desc", description))):
        child = ElementTree.Element(tag, {"id": f"{prefix}-{tag}"})
        child.text = content
        root.insert(position, child)
    written = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r">\s+<", "><", written)


def _drop_unseen(parent: ElementTree.Element) -> None:
    """Leave out metadata, the style element and groups in which nothing is drawn."""
    for child in list(parent):
        _drop_unseen(child)
        empty_group = child.tag in {"g", "defs"} and len(child) == 0
        if child.tag in {"metadata", "style"} or empty_group:
            parent.remove(child)


def _own_ids(element: ElementTree.Element, ids: Mapping[str, str]) -> None:
    own = ids.get(element.attrib.pop("id", ""))
    if own:
        element.set("id", own)
    if _HREF in element.attrib:
        element.set("href", f"#{ids[element.attrib.pop(_HREF)[1:]]}")
    if "clip-path" in element.attrib:
        element.set("clip-path", f"url(#{ids[element.attrib['clip-path'][5:-1]]})")


def _shorten_numbers(element: ElementTree.Element) -> None:
    # A tenth of a point is less than a pixel at every size that the page shows.
    for name in ("d", "x", "y", "transform"):
        if name in element.attrib:
            shorter = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), element.attrib[name])
            element.set(name, " ".join(shorter.split()))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def _state_once(group: ElementTree.Element) -> None:
    """Move what all marks of a group share to the group: a chart may have hundreds of them."""
    marks = group.findall("use")
    for name in ("class", "fill", "fill-opacity"):
        values = {mark.get(name) for mark in marks}
        if len(marks) == len(group) and len(values) == 1 and (value := values.pop()) is not None:
            group.set(name, value)
            for mark in marks:
                del mark.attrib[name]


def _style_to_attributes(element: ElementTree.Element) -> None:
    declarations = [d.split(":", 1) for d in element.attrib.pop("style", "").split(";") if ":" in d]
    classes = []
    for name, value in ((name.strip(), value.strip()) for name, value in declarations):
        # A mark's outline is stated once, where the mark is defined.
        if name == "font-family" or (element.tag == "use" and name.startswith("stroke")):
            continue
        if name in {"fill", "stroke"} and value.lower() in _COLOUR_CLASS:
            classes.append(f"{name}-{_COLOUR_CLASS[value.lower()]}")
        element.set(name, "currentColor" if value == INK else value)
    # SVG paints text without a fill in black, which no dark page shows.
    if element.tag == "text":
        element.attrib.setdefault("fill", "currentColor")
    if classes:
        element.set("class", " ".join(classes))
