"""Scores as text: accuracies and other shares in per cent, losses as plain numbers."""

from __future__ import annotations

import math

MISSING = "–"

# Objectives in words; all but the last are shares of the images, or means of such shares.
METRIC_WORDS = {
    "val_accuracy": "validation accuracy",
    "val_balanced_accuracy": "validation balanced accuracy",
    "val_macro_f1": "validation macro F1",
    "val_loss": "validation loss",
}


def decimal(value: float | None, digits: int = 3) -> str:
    """A plain number; None, NaN and infinities are shown as what they are."""
    if value is None:
        return MISSING
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}f}".replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """A share, 0 to 1, in per cent: `78.1 %`; what is no number has no unit."""
    if share is None:
        return MISSING
    text = decimal(100 * share, digits)
    return f"{text} %" if math.isfinite(share) else text


def is_share(objective: str) -> bool:
    """Whether an objective lies between 0 and 1, and reads better in per cent."""
    return objective in METRIC_WORDS and objective != "val_loss"


def score_text(score: float | None, objective: str, digits: int = 1) -> str:
    """A score of the objective: `88.0 %` for a share, else a plain number of two digits more."""
    return percent(score, digits) if is_share(objective) else decimal(score, digits + 2)
