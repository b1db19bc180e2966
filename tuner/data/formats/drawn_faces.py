"""A seeded generator of drawn faces with seven expressions: a data set that needs no download.

Each face is a handful of curves in face coordinates (x to the right, y down, the face about 1 in
radius). An expression moves the curves of mouth, brows and eyes; a pose bends them all; light,
noise, blur and things in front of the face make them hard to see. Weak expressions look almost
neutral, so that no model can reach 100 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

Floats = NDArray[np.float64]

# Points of an ellipse, and of a head's outline.
_ROUND = np.linspace(0, 2 * np.pi, 28)
_COS, _SIN = np.cos(_ROUND), np.sin(_ROUND)
_OUTLINE = np.linspace(0, 2 * np.pi, 48)

_SCALE = 4  # drawn this much larger, then averaged: smooth strokes of any width

# What a full expression does to the neutral face, after the action units of Ekman and Friesen's
# FACS. `brow_slope` > 0 lifts the inner ends; `curve` > 0 lifts the corners of the mouth.
_FEATURES = (
    "brow_raise",
    "brow_slope",
    "eye_open",
    "curve",
    "open",
    "width",
    "wrinkle",
    "cheeks",
    "skew",
    "teeth",
)
_TARGETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "angry": {
            "brow_raise": -0.8,
            "brow_slope": -1.0,
            "eye_open": -0.25,
            "curve": -0.45,
            "width": -0.1,
            "teeth": 0.5,
        },
        "disgust": {
            "brow_raise": -0.5,
            "brow_slope": -0.45,
            "eye_open": -0.6,
            "curve": -0.6,
            "open": 0.2,
        }
        | {"wrinkle": 1.0, "skew": 0.8},
        "fear": {
            "brow_raise": 0.6,
            "brow_slope": 0.8,
            "eye_open": 0.7,
            "curve": -0.5,
            "open": 0.4,
            "width": 0.2,
        }
        | {"teeth": 0.6},
        "happy": {
            "brow_raise": 0.1,
            "eye_open": -0.3,
            "curve": 1.0,
            "open": 0.3,
            "width": 0.3,
            "cheeks": 1.0,
        }
        | {"teeth": 0.6},
        "sad": {
            "brow_raise": 0.1,
            "brow_slope": 0.9,
            "eye_open": -0.4,
            "curve": -0.9,
            "width": -0.15,
        },
        "surprise": {"brow_raise": 1.0, "eye_open": 0.9, "open": 1.0, "width": -0.45},
        "neutral": {},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """Draws curves given in face coordinates onto an enlarged image."""

    draw: ImageDraw.ImageDraw
    matrix: Floats
    offset: Floats
    stroke: float
    ink: int

    def _points(self, curve: Floats) -> list[float]:
        """x, y, x, y, ... in the image."""
        points: list[float] = (curve @ self.matrix.T + self.offset).ravel().tolist()
        return points

    def line(self, curve: Floats, width: float = 1.0) -> None:
        self.draw.line(
            self._points(curve),
            fill=self.ink,
            width=max(1, round(self.stroke * width)),
            joint="curve",
        )

    def area(self, curve: Floats, fill: int) -> None:
        self.draw.polygon(self._points(curve), fill=fill)


def draw_faces(n: int, seed: int, size: int = 48) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw faces; image i depends on the seed and i only.

    Args:
        n: Number of images; the expressions take turns.
        seed: Same seed, same images.
        size: Side in pixels.

    Returns:
        Images (n, size, size, 1) and labels (n,), index into `EXPRESSIONS`.
    """
    images = np.empty((n, size, size, 1), dtype=np.uint8)
    labels = np.arange(n, dtype=np.int64) % len(EXPRESSIONS)
    for i in range(n):
        images[i, :, :, 0] = _face(EXPRESSIONS[labels[i]], np.random.default_rng((seed, i)), size)
    return images, labels


def _face(expression: str, rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    side = size * _SCALE
    skin, ground = rng.uniform(150, 235), rng.uniform(60, 235)
    image = Image.new("L", (side, side), int(ground))
    pen = _pen(ImageDraw.Draw(image), side, skin, rng)
    features = _features(expression, rng)
    # Turning the head moves the features within its outline.
    turn = np.array([rng.normal(0, 0.05), rng.normal(0, 0.04)])
    _head(pen, int(skin), rng)
    _eyes_and_brows(pen, features, turn, rng)
    _nose(pen, features, turn, rng)
    _mouth(pen, features, turn, rng)
    _occlude(pen, turn, rng)
    blurred = image.filter(ImageFilter.GaussianBlur(_SCALE * rng.uniform(0.0, 0.7)))
    small = np.asarray(blurred.resize((size, size), Image.Resampling.BOX), dtype=np.float64)
    return _light(small, rng)


def _pen(draw: ImageDraw.ImageDraw, side: int, skin: float, rng: np.random.Generator) -> _Pen:
    angle, shear = rng.normal(0, 0.09), rng.normal(0, 0.05)
    scale = side * rng.uniform(0.42, 0.48)
    stretch = np.diag([rng.uniform(0.85, 1.1), rng.uniform(0.95, 1.15)])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
    matrix = scale * rotation @ np.array([[1.0, shear], [0.0, 1.0]]) @ stretch @ mirror
    offset = side * (0.5 + rng.normal(0, 0.02, size=2))
    ink = int(skin * rng.uniform(0.05, 0.35))
    return _Pen(
        draw=draw, matrix=matrix, offset=offset, stroke=side * rng.uniform(0.020, 0.034), ink=ink
    )


def _features(expression: str, rng: np.random.Generator) -> dict[str, float]:
    """The expression at a random strength, on top of a face that is never quite neutral."""
    strength = rng.uniform(0.28, 1.15)
    target = _TARGETS[expression]
    features = {name: strength * target.get(name, 0.0) + rng.normal(0, 0.11) for name in _FEATURES}
    # Teeth show by chance, only where the expression allows them.
    features["teeth"] = float(rng.uniform() < target.get("teeth", 0.0))
    return features


def _ellipse(x: float, y: float, rx: float, ry: float) -> Floats:
    return np.stack([x + rx * _COS, y + ry * _SIN], axis=1)


def _head(pen: _Pen, skin: int, rng: np.random.Generator) -> None:
    jaw = rng.uniform(0.0, 0.25) * np.maximum(np.sin(_OUTLINE), 0) ** 2
    outline = np.stack([(0.85 - jaw) * np.cos(_OUTLINE), np.sin(_OUTLINE)], axis=1)
    if rng.uniform() < 0.5:
        for x in (-0.86, 0.86):
            pen.area(_ellipse(x, 0.0, 0.13, 0.22), skin)
            pen.line(_ellipse(x, 0.0, 0.13, 0.22), 0.7)
    pen.area(outline, skin)
    pen.line(outline, rng.uniform(0.5, 1.2))


def _eyes_and_brows(
    pen: _Pen, features: Mapping[str, float], turn: Floats, rng: np.random.Generator
) -> None:
    apart, level = rng.uniform(0.30, 0.40), rng.uniform(-0.25, -0.12)
    opening = float(np.clip(0.14 * (1 + 0.9 * features["eye_open"]), 0.02, 0.30))
    width, pupil = rng.uniform(0.14, 0.19), rng.uniform(0.055, 0.08)
    gaze = rng.normal(0, 0.03)
    brow_width = rng.uniform(0.8, 2.0)
    t = np.linspace(-1, 1, 9)
    for sign in (-1.0, 1.0):
        x, y = sign * apart + turn[0], level + turn[1]
        pen.area(_ellipse(x, y, width, opening), 250)
        pen.area(_ellipse(x + gaze, y, pupil, min(pupil, opening)), pen.ink // 2)
        pen.line(_ellipse(x, y, width, opening), 0.7)
        # The inner end of a brow lies towards the middle of the face: t * sign < 0.
        lift = 0.24 + 0.16 * features["brow_raise"] + 0.05 * max(features["eye_open"], 0)
        slope = 0.18 * features["brow_slope"] * (-t * sign)
        arch = (0.05 + 0.04 * max(features["brow_raise"], 0)) * (1 - t**2)
        brow = np.stack([x + 0.21 * t, y - lift - slope - arch], axis=1)
        pen.line(brow, brow_width)
        if features["cheeks"] > 0.4:
            pen.line(np.stack([x + 0.13 * t, y + 0.27 + 0.05 * t**2], axis=1), 0.5)
    if features["brow_slope"] < -0.45:
        for sign in (-1.0, 1.0):  # the furrow between the brows
            pen.line(
                np.array([[sign * 0.04, level - 0.2], [sign * 0.03, level - 0.05]]) + turn, 0.5
            )


def _nose(pen: _Pen, features: Mapping[str, float], turn: Floats, rng: np.random.Generator) -> None:
    tip = 0.22 - 0.06 * max(features["wrinkle"], 0)
    side = rng.uniform(0.06, 0.14)
    centre = 1.25 * turn
    pen.line(np.array([[0.0, -0.1], [side, tip], [-0.3 * side, tip + 0.03]]) + centre, 0.8)
    if features["wrinkle"] > 0.3:
        depth = 0.05 * features["wrinkle"]
        for y in (-0.06, 0.02):
            pen.line(np.array([[-0.13, y - depth], [0.0, y + 0.02], [0.13, y - depth]]) + turn, 0.6)
        for sign in (-1.0, 1.0):
            pen.line(np.array([[sign * 0.15, 0.2], [sign * 0.33, 0.36]]) + turn, 0.6)


def _mouth(
    pen: _Pen, features: Mapping[str, float], turn: Floats, rng: np.random.Generator
) -> None:
    half = 0.38 * (1 + 0.8 * features["width"]) * rng.uniform(0.85, 1.15)
    level = 0.52 + rng.normal(0, 0.03)
    t = np.linspace(-1, 1, 15)
    opening = max(features["open"], 0.0) * 0.5
    corner = features["curve"] * (0.12 - 0.24 * t**2)
    x = half * t + turn[0]
    tilt = 0.09 * features["skew"] * t
    upper = np.stack(
        [x, level + turn[1] + corner + tilt - 0.35 * opening * np.sqrt(1 - t**2)], axis=1
    )
    lower = np.stack(
        [x, level + turn[1] + corner + tilt + 0.65 * opening * np.sqrt(1 - t**2)], axis=1
    )
    if features["teeth"] and opening < 0.06:
        # Bared teeth need room: a closed mouth would hide them.
        lower = lower + np.array([0.0, 0.10])
        opening = 0.10
    if opening > 0.03:
        ring = np.concatenate([upper, lower[::-1]])
        pen.area(ring, 245 if features["teeth"] else pen.ink // 2)
        if features["teeth"]:
            pen.line((upper + lower) / 2, 0.4)
        pen.line(np.concatenate([ring, upper[:1]]), 0.9)
    else:
        pen.line(upper, rng.uniform(0.9, 1.5))
        pen.line(
            np.array([[-0.07, 0.12], [0.07, 0.12]]) + np.array([turn[0], level + turn[1]]), 0.4
        )


def _occlude(pen: _Pen, turn: Floats, rng: np.random.Generator) -> None:
    """Hair, hat, glasses, and a hand or a bar across the face; each by its own chance."""
    shade = int(rng.uniform(10, 245))
    if rng.uniform() < 0.45:
        x = np.linspace(-1, 1, 13)
        edge = np.stack([0.88 * x, -0.62 + 0.22 * x**2 + rng.normal(0, 0.06, 13)], axis=1)
        crown = np.stack([1.0 * x[::-1], -0.55 - 0.62 * np.sqrt(1 - x**2)], axis=1)
        pen.area(np.concatenate([edge, crown]), shade)
    elif rng.uniform() < 0.25:
        pen.area(
            np.array(
                [
                    [-1.0, -0.5],
                    [1.0, -0.5],
                    [0.65, -0.65],
                    [0.55, -1.3],
                    [-0.55, -1.3],
                    [-0.65, -0.65],
                ]
            ),
            shade,
        )
    if rng.uniform() < 0.22:
        for sign in (-1.0, 1.0):
            pen.line(_ellipse(sign * 0.36 + turn[0], -0.17 + turn[1], 0.25, 0.21), 0.8)
        pen.line(np.array([[-0.11, -0.18], [0.11, -0.18]]) + turn, 0.8)
    if rng.uniform() < 0.18:
        centre, angle = rng.uniform(-0.8, 0.8, size=2), rng.uniform(0, np.pi)
        along = 1.6 * np.array([np.cos(angle), np.sin(angle)])
        across = rng.uniform(0.07, 0.16) * np.array([-np.sin(angle), np.cos(angle)])
        pen.area(
            np.array(
                [
                    centre + along + across,
                    centre + along - across,
                    centre - along - across,
                    centre - along + across,
                ]
            ),
            shade,
        )
    if rng.uniform() < 0.12:
        pen.area(
            _ellipse(rng.uniform(-0.6, 0.6), rng.uniform(0.5, 1.0), 0.35, 0.3),
            int(rng.uniform(100, 220)),
        )


def _light(image: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light from one side, low contrast and sensor noise."""
    size = len(image)
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    gradient = 1 + rng.uniform(0, 0.35) * (np.cos(angle) * x + np.sin(angle) * y)
    contrast = rng.uniform(0.7, 1.0)
    lit = 127 + contrast * (image * gradient - 127) + rng.uniform(-15, 15)
    noisy = lit + rng.normal(0, rng.uniform(2, 14), size=image.shape)
    result: NDArray[np.uint8] = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return result
