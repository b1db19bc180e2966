"""A card of the tests, and where the supplied ones are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[3]
BUNDLED = ROOT / "datasets"


CARD = """\
name: mine
title: Mine
files: {type: npz, path: mine.npz}
image: {height: 4, width: 4, channels: 1}
"""
