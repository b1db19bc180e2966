"""matplotlib's SVG made fit for the page: small, and accepted by a strict content policy.

matplotlib writes `style=` attributes, a `<style>` element and ids that repeat between figures; the
policy would paint the first black and refuse the second. They become presentation attributes,
classes of the page's style sheet, and ids of the figure's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

BASELINE, TUNED, EFFICIENTNET, INK, GRID = "#57606A", "#0072B2", "#D55E00", "#000000", "#808080"

_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
_HREF = "{http://www.w3.org/1999/xlink}href"
# The style sheet gives each of these classes a light and a dark colour.
_COLOUR_CLASS = {
    BASELINE.lower(): "baseline",
    TUNED.lower(): "tuned",
    EFFICIENTNET.lower(): "efficientnet",
}
# Lines with a class of the style sheet, by colour and width: those of the grid, and the axes with
# all thin black ones.
_LINE_CLASS = {(GRID, "0.6"): "gridline", (INK, "0.8"): "axis"}
# What the style sheet says of every text, or SVG says anyway.
_USUAL = {"text": {"font-size": "9px", "fill": "currentColor"}, "path": {"stroke-dashoffset": "0"}}


def portable(text: str, prefix: str, title: str, description: str) -> str:
    """An `<svg>` element for the page.

    Args:
        text: What matplotlib wrote.
        prefix: Of every id inside.
        title: The figure's accessible name.
        description: What it shows.
    """
    # Inside HTML an <svg> needs no namespace, and ElementTree would write prefixes that HTML does
    # not have.
    root = ElementTree.fromstring(text.replace(_NAMESPACE, "", 1))
    referenced = [e.get(_HREF, "")[1:] for e in root.iter()]
    ids = {
        old: f"{prefix}-{number}"
        for number, old in enumerate(dict.fromkeys(filter(None, referenced)))
    }
    for element in root.iter():
        _own_ids(element, ids)
        _style_to_attributes(element)
        _shorten(element)
    for group in root.iter("g"):
        _state_once(group)
    _drop_unseen(root)
    _flatten(root)
    _join(root, "gridline")
    _join(root, "axis")
    _label(root, prefix, title, description)
    return re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")).replace(
        " />", "/>"
    )


def _label(root: ElementTree.Element, prefix: str, title: str, description: str) -> None:
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


def _drop_unseen(parent: ElementTree.Element) -> None:
    """Leave out metadata, the style element, empty groups, and shapes without any colour."""
    for child in list(parent):
        _drop_unseen(child)
        is_empty = child.tag in {"g", "defs"} and len(child) == 0
        is_clear = (
            child.tag == "path"
            and child.get("fill") == "none"
            and not {"stroke", "class"} & set(child.attrib)
        )
        if child.tag in {"metadata", "style", "clipPath"} or is_empty or is_clear:
            parent.remove(child)


def _flatten(parent: ElementTree.Element) -> None:
    """Put what a group holds in its place where the group says nothing."""
    for child in list(parent):
        _flatten(child)
        if child.tag == "g" and not child.attrib:
            place = list(parent).index(child)
            parent.remove(child)
            for offset, inner in enumerate(child):
                parent.insert(place + offset, inner)


def _join(root: ElementTree.Element, name: str) -> None:
    """One path for all lines of a class."""
    lines = [path for path in root.findall("path") if path.get("class") == name]
    for line in lines[1:]:
        lines[0].set("d", lines[0].get("d", "") + line.get("d", ""))
        root.remove(line)


def _own_ids(element: ElementTree.Element, ids: Mapping[str, str]) -> None:
    own = ids.get(element.attrib.pop("id", ""))
    if own:
        element.set("id", own)
    if _HREF in element.attrib:
        element.set("href", f"#{ids[element.attrib.pop(_HREF)[1:]]}")
    # Every chart's axes hold all of its data: there is nothing to cut off.
    element.attrib.pop("clip-path", None)


def _shorten(element: ElementTree.Element) -> None:
    # A tenth of a point is less than a pixel at every size that the page shows.
    for name in ("d", "x", "y", "transform"):
        if name in element.attrib:
            shorter = re.sub(
                r"-?\d+\.\d+",
                lambda m: f"{float(m[0]):.1f}".removesuffix(".0"),
                element.attrib[name],
            )
            element.set(name, " ".join(shorter.split()))
    if "d" in element.attrib:
        # A move is followed by lines unless something else is said.
        steps = re.sub(r"(?<=\d) L (?=[-\d])", " ", element.attrib["d"])
        steps = re.sub(r" ?([A-Za-z]) ?", r"\1", steps)
        # Lines of the grid are vertical or horizontal: their second end needs one number only.
        steps = re.sub(r"M(\S+) (\S+) \1 ([^\sA-Za-z]+)(?=M|$)", r"M\1 \2V\3", steps)
        steps = re.sub(r"M(\S+) (\S+) ([^\sA-Za-z]+) \2(?=M|$)", r"M\1 \2H\3", steps)
        element.set("d", steps)
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
    stated = (
        part.split(":", 1) for part in element.attrib.pop("style", "").split(";") if ":" in part
    )
    styles = {name.strip(): value.strip() for name, value in stated}
    line_class = _LINE_CLASS.get((styles.get("stroke", "").lower(), styles.get("stroke-width", "")))
    if line_class:
        # No such line leaves the axes.
        element.attrib = {"d": element.get("d", ""), "class": line_class}
        return
    classes = []
    for name, value in styles.items():
        # A mark's outline is stated once, where the mark is defined.
        if name == "font-family" or (element.tag == "use" and name.startswith("stroke")):
            continue
        if name in {"fill", "stroke"} and value.lower() in _COLOUR_CLASS:
            classes.append(f"{name}-{_COLOUR_CLASS[value.lower()]}")
            continue
        element.set(name, "currentColor" if value == INK else value)
    for name, value in _USUAL.get(element.tag, {}).items():
        if element.get(name) == value:
            del element.attrib[name]
    if element.tag == "text" and (anchor := element.attrib.pop("text-anchor", "start")) != "middle":
        # The style sheet centres texts: most are numbers below a line of the grid.
        classes.append(anchor)
    if classes:
        element.set("class", " ".join(classes))
