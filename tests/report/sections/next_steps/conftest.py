"""A space whose every range and list a step may change."""

from __future__ import annotations

from pathlib import Path

import pytest

SPACE = """
version: 1
space:
  conv_blocks: {type: int, min: 2, max: 4}
  filters: {type: choice, values: [16, 32, 64], per: conv_blocks}
  kernel_size: {type: choice, values: [3, 5, 7], per: conv_blocks}
  kernel_size_0: [3, 5, 7]
  conv_dropout: {type: float, min: 0.1, max: 0.4, step: 0.1, per: conv_blocks}
  dense_units: [32, 64, 128]
  label_smoothing: [0.05, 0.1, 0.2]
  dropout: {type: float, min: 0.2, max: 0.5, step: 0.1}
  optimizer: [sgd, adam]
  momentum: {type: float, min: 0.5, max: 0.9, when: {optimizer: sgd}}
  learning_rate: {type: float, min: 1e-4, max: 1e-2, sampling: log}
  weight_decay: {type: choice, values: [1e-5, 1e-4, 1e-3], when: {optimizer: adam}}
  batch_size: {type: int, min: 32, max: 128, sampling: log}
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(SPACE, encoding="utf-8")
    return path
