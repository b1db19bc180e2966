"""Checks for copies and near copies, across parts and under different labels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tuner.data.splits.split_rules import MaybeRole
from tuner.doctor.examined_data import ExaminedData, Indices, groups_of, has_many
from tuner.doctor.findings import Finding
from tuner.metrics.score_text import percent
from tuner.report.text import plural

# Shares of a part or a set above which its scores mean nothing.
WORTHLESS_LEAK = 0.5
WORTHLESS_CONFLICT = 0.2

_CONFLICT = "At least one of the labels is wrong, and no model can predict all of them correctly. "
_KEPT = "Both stay in, as the card says, so the score rewards memorized images."
_CUT = "A split that tuner makes keeps identical images in one part."


def conflicting(data: ExaminedData) -> Iterator[Finding]:
    """The same image under more than one label."""
    images = data.images
    rows, n_distinct = _conflicting(data, np.arange(len(images.labels), dtype=np.int64))
    if len(rows) == 0:
        return
    counts = {"distinct": n_distinct, "images": len(rows)}
    inside = []
    for role in data.roles if len(data.roles) > 1 else ():
        part_rows, part_distinct = _conflicting(data, data.rows(role))
        counts |= {f"{role}_distinct": part_distinct, f"{role}_images": len(part_rows)}
        if part_distinct:
            inside.append(
                f"{part_distinct:,} ({len(part_rows):,} times) within {data.part_name(role)}"
            )
    share = len(rows) / len(images.labels)
    is_dropped = data.card.policies.conflicting == "drop"
    groups = groups_of(images.copy_of, rows)
    yield Finding(
        code="conflicting-labels",
        severity="error" if share > WORTHLESS_CONFLICT else "warning",
        summary=(
            f"{plural(n_distinct, 'image')} {'occurs' if n_distinct == 1 else 'occur'} with"
            f" different labels ({len(rows):,} times in all, {percent(share)})"
            f"{'; ' * bool(inside)}{', '.join(inside)}."
        ),
        meaning=_CONFLICT
        + (
            "The run leaves them out, except in a test part that you supply."
            if is_dropped
            else "They stay in, as the card says."
        ),
        advice="check them and correct the labels"
        + ("." if is_dropped else "; or set policies: {conflicting: drop} in the card."),
        counts=counts,
        examples=data.groups(groups),
        n_examples=len(groups),
    )


def _conflicting(data: ExaminedData, rows: Indices) -> tuple[Indices, int]:
    """Rows with a copy among them under another label, and the number of distinct images."""
    groups = data.images.copy_of[rows]
    found = has_many(groups, data.images.labels[rows])
    return rows[found], len(np.unique(groups[found]))


def across_parts(data: ExaminedData) -> Iterator[Finding]:
    """Images of one part that copy an image of another."""
    copy_of, duplicates = data.images.copy_of, data.card.policies.duplicates
    for first, second in combinations(data.roles, 2):
        rows = data.rows(second)
        found = rows[np.isin(copy_of[rows], copy_of[data.rows(first)])]
        if len(found) == 0:
            continue
        share = len(found) / len(rows)
        is_leak = first == "train" and second == data.testing_role
        is_kept = duplicates == "keep"
        names = data.part_name(first), data.part_name(second)
        groups = _joint_groups(data, copy_of, found, first)
        yield Finding(
            code="copies-across-parts",
            severity="error" if is_leak and is_kept and share > WORTHLESS_LEAK else "warning",
            summary=(
                f"{len(found):,} of {len(rows):,} {names[1]} images ({percent(share)}) "
                f"{'copies' if len(found) == 1 else 'copy'} an image of {names[0]}."
            ),
            meaning=(
                _KEPT
                if is_kept
                else (
                    "A model memorizes the images that it trains on, so published scores on these"
                    " parts are too high. Here the copies are left out of training."
                )
            ),
            advice=(
                "set policies: {duplicates: drop_from_train} in the card."
                if is_kept
                else (
                    "nothing; compare with published scores only where they were made on the same"
                    " images."
                )
            ),
            counts={
                "images": len(found),
                "distinct": len(np.unique(copy_of[found])),
                "part": len(rows),
            },
            examples=data.groups(groups),
            n_examples=len(groups),
        )


def near_across_parts(data: ExaminedData) -> Iterator[Finding]:
    """Images of one part that look like an image of another, without being its copy."""
    images = data.images
    for first, second in combinations(data.roles, 2):
        rows, others = data.rows(second), data.rows(first)
        is_near = np.isin(images.near_group[rows], images.near_group[others])
        found = rows[is_near & ~np.isin(images.copy_of[rows], images.copy_of[others])]
        if len(found) == 0:
            continue
        names = data.part_name(first), data.part_name(second)
        groups = _joint_groups(data, images.near_group, found, first)
        yield Finding(
            code="near-copies-across-parts",
            severity="warning",
            summary=(
                f"{len(found):,} of {len(rows):,} {names[1]} images"
                f" ({percent(len(found) / len(rows))}) {'looks' if len(found) == 1 else 'look'}"
                f" almost like an image of {names[0]}."
            ),
            meaning=(
                "If they are one picture, scaled or compressed again, the score rewards memorized"
                " images. A perceptual hash finds them, so some pairs may be different pictures."
            ),
            advice="check them; delete true copies from the training part.",
            counts={"images": len(found), "part": len(rows)},
            examples=data.groups(groups),
            n_examples=len(groups),
        )


def near_copies(data: ExaminedData) -> Iterator[Finding]:
    """Images that look alike without being copies."""
    images = data.images
    groups = _near_groups(data)
    if not groups:
        return
    n_distinct = len(np.unique(images.copy_of[np.concatenate(groups)]))
    yield Finding(
        code="near-copies",
        severity="info",
        summary=(
            f"{plural(len(groups), 'group')} of near copies, {n_distinct:,} distinct images in all."
        ),
        meaning=(
            "They are one picture scaled, cropped or compressed again, or one series of drawings:"
            " the data have fewer independent images than files."
        ),
        advice=(
            "nothing. A split that tuner makes keeps each group in one part, unless a chain of"
            " near copies leaves a class with too few images. To judge how much data you have,"
            " count the groups and not the images."
        ),
        counts={"groups": len(groups), "distinct": n_distinct},
        examples=data.groups([_distinct(data, group) for group in groups]),
        n_examples=len(groups),
    )


def near_conflicting(data: ExaminedData) -> Iterator[Finding]:
    """Images that look alike under different labels."""
    images = data.images
    exact = set(_conflicting(data, np.arange(len(images.labels), dtype=np.int64))[0].tolist())
    groups = [
        group
        for group in _near_groups(data)
        if len(np.unique(images.labels[group])) > 1 and not exact.issuperset(group.tolist())
    ]
    if not groups:
        return
    n = sum(map(len, groups))
    yield Finding(
        code="near-copies-conflicting",
        severity="warning",
        summary=(
            f"{plural(len(groups), 'group')} of near copies ({n:,} images) "
            f"{'holds' if len(groups) == 1 else 'hold'} more than one label."
        ),
        meaning=(
            "If they are one picture, one of the labels is wrong. Drawings of two classes may"
            " differ in a detail only."
        ),
        advice="check them, and correct or delete those that are wrong.",
        counts={"groups": len(groups), "images": n},
        examples=data.groups(groups),
        n_examples=len(groups),
    )


def within_parts(data: ExaminedData) -> Iterator[Finding]:
    """Copies inside a part, or inside a data set without parts."""
    copy_of = data.images.copy_of
    for role in data.roles:
        rows = data.rows(role)
        n_distinct = len(np.unique(copy_of[rows]))
        if n_distinct == len(rows):
            continue
        name = f"{data.part_name(role)}: " if role else ""
        n_copies = plural(len(rows) - n_distinct, "copy", "copies")
        labels = data.images.labels
        # Those with several labels are a finding of their own.
        groups = [g for g in groups_of(copy_of, rows) if len(np.unique(labels[g])) == 1]
        if not groups:
            continue
        yield Finding(
            code="copies",
            severity="info",
            summary=f"{name}{len(rows):,} images, {n_distinct:,} distinct; {n_copies}.",
            meaning=_MEANINGS[role],
            advice=(
                "nothing; or set policies: {duplicates: drop} in the card to keep one of each."
            ),
            counts={"images": len(rows), "distinct": n_distinct},
            examples=data.groups(groups),
            n_examples=len(groups),
        )


_MEANINGS = {
    "": f"{_CUT} Duplicates count more in training.",
    "train": f"{_CUT} Duplicates count more in training.",
    "validation": "Duplicates count more in the score.",
    "test": "Duplicates count more in the score.",
}


def _near_groups(data: ExaminedData) -> list[Indices]:
    """Groups of images that look alike and are not all copies of one."""
    images = data.images
    rows = np.flatnonzero(has_many(images.near_group, images.copy_of)).astype(np.int64)
    return groups_of(images.near_group, rows)


def _distinct(data: ExaminedData, group: Indices) -> Indices:
    """The group with one of each set of copies."""
    return np.sort(group[np.unique(data.images.copy_of[group], return_index=True)[1]])


def _joint_groups(
    data: ExaminedData, numbers: Indices, found: Indices, role: MaybeRole
) -> list[Indices]:
    """The found rows of one part with those of the other part that share their number."""
    others = data.rows(role)
    others = others[np.isin(numbers[others], numbers[found])]
    return groups_of(numbers, np.sort(np.concatenate([others, found])))
