"""All checks of a data set, the worst findings first."""

from __future__ import annotations

import numpy as np

from tuner.data.cards.card import Card
from tuner.data.images import Images
from tuner.data.splits.split_rules import MaybeRole
from tuner.doctor import class_checks, copy_checks, file_checks, pixel_checks, value_checks
from tuner.doctor.examined_data import ExaminedData
from tuner.doctor.findings import SEVERITIES, Examination, PartCounts

CHECKS = (
    copy_checks.conflicting,
    copy_checks.across_parts,
    copy_checks.near_across_parts,
    file_checks.unreadable,
    class_checks.too_few,
    class_checks.not_in_every_part,
    class_checks.imbalance,
    copy_checks.near_conflicting,
    copy_checks.near_copies,
    copy_checks.within_parts,
    pixel_checks.constant,
    file_checks.animated,
    file_checks.stretched,
    file_checks.extreme_sizes,
    file_checks.wrong_suffixes,
    file_checks.odd_modes,
    value_checks.value_range,
    value_checks.wide_colours,
    file_checks.rotated,
    pixel_checks.rescaled,
    pixel_checks.streamed,
)


def examine(images: Images, card: Card) -> Examination:
    """Look for everything that would mislead a search.

    Args:
        images: The data set, loaded.
        card: Its card, whose policies decide what an oddity means.

    Returns:
        Numbers, words and examples; nothing is drawn and nothing is written.
    """
    data = ExaminedData(images=images, card=card)
    found = [finding for check in CHECKS for finding in check(data)]
    height, width, channels = images.images.shape[1:]
    return Examination(
        name=images.name,
        title=card.title,
        fingerprint=images.fingerprint,
        shape=(height, width, channels),
        class_names=images.class_names,
        parts=tuple(_counts(data, role) for role in data.roles),
        n_unreadable=len(images.unreadable),
        findings=tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))),
        left_out=images.left_out,
    )


def _counts(data: ExaminedData, role: MaybeRole) -> PartCounts:
    images, rows = data.images, data.rows(role)
    return PartCounts(
        name=data.part_name(role),
        role=role,
        per_class=tuple(
            np.bincount(images.labels[rows], minlength=len(images.class_names)).tolist()
        ),
        n_distinct=len(np.unique(images.copy_of[rows])),
        use=data.use(role),
    )
