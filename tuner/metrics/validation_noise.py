"""How far chance moves a score on validation images."""

from __future__ import annotations

import math

# Of these a score is the share of images, or of classes, that are right.
_SHARES = ("val_accuracy", "val_balanced_accuracy", "val_macro_f1")


def standard_error(objective: str, score: float, n_images: int) -> float | None:
    """The standard error of a score that is a share; None for an objective that is none.

    That of a proportion, sqrt(p (1 - p) / n); of balanced accuracy and macro F1 it is a rough
    guess.

    Args:
        objective: Metric of an epoch.
        score: What it was.
        n_images: Images that it was counted on.
    """
    if objective not in _SHARES:
        return None
    share = min(max(score, 0.0), 1.0)
    return math.sqrt(share * (1.0 - share) / n_images)
