"""Confident learning: which labels are probably wrong, and about how many.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70 (2021). The probabilities must be of models that did
not train on the image that they are of.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelDoubts:
    """What probabilities say of given labels.

    Attributes:
        order: Positions of all images, (n,): the flagged ones first, and among flagged and others
            alike the lowest margin first.
        is_flagged: Whether each label is probably wrong, (n,).
        suggested: The class that speaks most against each label, (n,).
        margins: Probability of the given label less that of the most probable other class, -1 to 1;
            the lower, the more doubtful, (n,).
        joint: Estimated number of images by given and true label, (classes, classes).
    """

    order: Numbers
    is_flagged: NDArray[np.bool_]
    suggested: Numbers
    margins: Floats
    joint: Floats

    @property
    def n_flagged(self) -> int:
        """Labels that are probably wrong."""
        return int(np.count_nonzero(self.is_flagged))

    @property
    def n_expected(self) -> float:
        """Estimated number of wrong labels: what lies beside the diagonal of the joint.

        Classes that the models mix up by themselves count too, so that weak models estimate too
        many.
        """
        return float(self.joint.sum() - np.trace(self.joint))


def find_doubts(labels: ArrayLike, probabilities: ArrayLike) -> LabelDoubts:
    """Rank labels by how much the probabilities speak against them.

    A label is flagged where the image counts as one of another class (`confident_classes`) and that
    class is more probable than the label. The paper flags all that lie beside the diagonal of the
    confident joint; an image whose own label is the most probable is not worth a look.

    Args:
        labels: Given class numbers, (n,) with n > 0.
        probabilities: Out of sample, (n, classes); rows sum to 1.
    """
    given, found = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    rows = np.arange(len(given))
    others = found.copy()
    others[rows, given] = -1.0
    rival = others.argmax(axis=1)
    margins = found[rows, given] - found[rows, rival]
    confident = confident_classes(given, found)
    is_flagged = (confident >= 0) & (confident != given) & (margins < 0)
    return LabelDoubts(
        order=np.lexsort((rows, margins, ~is_flagged)),
        is_flagged=is_flagged,
        suggested=np.where(is_flagged, confident, rival),
        margins=margins,
        joint=_joint(given, confident, found.shape[1]),
    )


def confident_classes(labels: Numbers, probabilities: Floats) -> Numbers:
    """The class that each image counts as, -1 where it counts as none.

    It is the most probable of those whose probability reaches the class's threshold: the mean
    probability that images of this label have for it. So a class that models are unsure of has a
    lower threshold.

    Args:
        labels: Given class numbers, (n,).
        probabilities: (n, classes).
    """
    n_classes = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, weights=own, minlength=n_classes)
    # No image counts as one of a class that no label names.
    thresholds = np.divide(sums, counts, out=np.full(n_classes, np.inf), where=counts > 0)
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    return np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)


def _joint(labels: Numbers, confident: Numbers, n_classes: int) -> Floats:
    """The confident joint, its rows scaled to the number of images of each given label."""
    counted = confident >= 0
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (labels[counted], confident[counted]), 1)
    counts = np.bincount(labels, minlength=n_classes)
    # Of a class of which no image counts as any, nothing speaks against the labels.
    empty = np.flatnonzero(joint.sum(axis=1) == 0)
    joint[empty, empty] = 1
    scaled: Floats = joint * (counts / joint.sum(axis=1))[:, None]
    return scaled
