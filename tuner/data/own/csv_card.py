"""A card for a table.

The table is of pixels, such as FER2013's or MNIST's, or of the names of files and their labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.folders.part_names import FER_SPLITS, split_roles
from tuner.data.formats.fer_csv import FerCsv
from tuner.data.formats.pixel_columns import PixelColumns
from tuner.data.labels import is_label, plain_label
from tuner.data.own import columns
from tuner.data.own.columns import PixelBlock, TableSample
from tuner.data.own.list_card import list_card
from tuner.data.own.made_card import image_settings, made_card
from tuner.data.splits.split_rules import Splits
from tuner.data.tables.table import csv_rows, table_stem
from tuner.errors import DataError
from tuner.names import printable

_FER_CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
_SAMPLED_ROWS = 200
_MOST_VALUES = 10_000
# Those of 256 x 256 pixels in colour, and some more.
_MOST_COLUMNS = 200_000


def csv_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If it is not clear what the columns mean, or the first row's pixels cannot be
            understood.
    """
    sample = read_sample(path)
    fields = pixel_fields([path], sample)
    if fields is None:
        return list_card(path, sample)
    files = fields.pop("files").model_copy(update={"path": str(path.resolve())})
    return made_card(plainly_named(path), files=files, **fields)


def plainly_named(path: Path) -> Path:
    """The path with a single suffix, for the card's name."""
    return path.with_name(f"{table_stem(path)}.csv")


def read_sample(path: Path) -> TableSample:
    """The first rows of a table.

    Raises:
        DataError: If it cannot be read.
    """
    with csv_rows(path) as (header, rows):
        if len(header) > _MOST_COLUMNS:
            raise DataError(
                f"{path.name}: it has {len(header):,} columns; expected at most {_MOST_COLUMNS:,}",
                "save large images as files, or as arrays of an NPZ.",
            )
        found = [row for _, row in islice(rows, _SAMPLED_ROWS)]
    return TableSample(header=header, rows=[row for row in found if len(row) == len(header)])


def pixel_fields(paths: Sequence[Path], sample: TableSample) -> dict[str, Any] | None:
    """What a card says of tables of pixels with the same columns, but for their path.

    Returns:
        None where the table holds no pixels.

    Raises:
        DataError: If it holds some, but not clearly images with labels.
    """
    text = columns.text_at(sample)
    if text is not None:
        return _text_fields(paths, sample, text)
    if columns.has_no_header(sample):
        return _bare_fields(paths, sample)
    block = columns.block(sample, paths[0].name)
    return None if block is None else _block_fields(paths, sample, block)


def _text_fields(paths: Sequence[Path], sample: TableSample, text: int) -> dict[str, Any]:
    name, header = paths[0].name, sample.header
    if columns.is_image(header[text]):
        raise DataError(
            f"{name}: there is no header: the first line holds an image",
            "name the columns in the first line, such as emotion,pixels,Usage.",
        )
    others = [at for at in range(len(header)) if at != text]
    usage = columns.usage_at(header, others)
    group = columns.group_at(header, [at for at in others if at != usage])
    label = _label(name, sample, [at for at in others if at not in (usage, group)], header[text])
    from tuner.data.formats.fer_csv import blank_separated

    n = len(blank_separated(sample.rows[0][text]).split()) if sample.rows else 0
    height, width = columns.square(n)
    if not height:
        raise _no_square(name, n, "fer_csv")
    found = _values(paths, (label, usage))
    return {
        "files": FerCsv(
            type="fer_csv",
            path="",
            label_column=header[label],
            pixels_column=header[text],
            usage_column="Usage" if usage is None else header[usage],
        ),
        "image": image_settings(height, width, 1, f"{name}, line 2"),
        "class_names": _class_names(header[label], found[0]),
        "splits": _splits(name, header, usage, found[1], group),
    }


def _block_fields(paths: Sequence[Path], sample: TableSample, block: PixelBlock) -> dict[str, Any]:
    name, header = paths[0].name, sample.header
    others = sorted(set(range(len(header))) - set(block.columns))
    usage = columns.usage_at(header, others)
    group = columns.group_at(header, [at for at in others if at != usage])
    left = [at for at in others if at not in (usage, group)]
    label = _label(name, sample, left, "pixels")
    if not block.height:
        raise _no_square(name, len(block.columns), "pixel_columns")
    found = _values(paths, (label, usage))
    return {
        "files": PixelColumns(
            type="pixel_columns",
            path="",
            label_column=header[label],
            usage_column=None if usage is None else header[usage],
            other_columns=[_column(header, at) for at in left if at != label],
            channels_first=block.channels_first,
        ),
        "image": image_settings(block.height, block.width, block.channels, name),
        "class_names": _class_names(header[label], found[0]),
        "splits": _splits(name, header, usage, found[1], group),
    }


def _column(header: list[str], at: int) -> str | int:
    """A column by its name; by its position where another one has the same."""
    return header[at] if header.count(header[at]) == 1 else at


def _bare_fields(paths: Sequence[Path], sample: TableSample) -> dict[str, Any]:
    """Of a table without header: the label is first or last, whichever may be one."""
    name, n = paths[0].name, len(sample.header)
    first, last = _values(paths, (0, n - 1), has_header=False)
    n_rows = sum(1 for _ in _cells(paths, 0, has_header=False))
    likely = [
        at for at, found in ((0, first), (n - 1, last)) if columns.may_be_label(found, n_rows)
    ]
    if len(likely) == 2 and (chosen := columns.likelier_label((first, last))) is not None:
        likely = [likely[chosen]]
    if len(likely) != 1:
        raise DataError(
            f"{name}: there is no header, and the label may be the first or the last of {n:,}"
            " columns",
            "name the columns in the first line: label, pixel1, pixel2, ...; or write a card:"
            " files: {type: pixel_columns, path: FILE, header: false, label_column: 0}.",
        )
    height, width = columns.square(n - 1)
    if not height:
        raise _no_square(name, n - 1, "pixel_columns")
    return {
        "files": PixelColumns(type="pixel_columns", path="", header=False, label_column=likely[0]),
        "image": image_settings(height, width, 1, name),
    }


def _label(name: str, sample: TableSample, among: list[int], pixels: str) -> int:
    label = columns.label_at(sample.header, among)
    if label is not None:
        return label
    header = sample.header
    shown = ", ".join(printable(one) for one in header[:5]) + (", ..." if len(header) > 5 else "")
    if not [at for at in among if columns.plain(header[at]) not in ("", "id")]:
        raise DataError(
            f"{name}: it has pixels, but no column of labels; found {shown}",
            "give the table that has labels, such as train.csv.",
        )
    raise DataError(
        f"{name}: expected a column of labels beside {pixels}; found {shown}",
        "call the column of labels label; or write a card that names it as label_column.",
    )


def _no_square(name: str, n: int, kind: str) -> DataError:
    height, width = columns.square(n // 3) if n % 3 == 0 else (0, 0)
    if height:
        order = (
            ", channels_first: true where all red values come first"
            if kind == "pixel_columns"
            else ""
        )
        return DataError(
            f"{name}, line 2: it has {n:,} pixels: as many as {height} x {width} in colour",
            f"write a card: files: {{type: {kind}, path: FILE, ...}}{order}; image: {{height:"
            f" {height}, width: {width}, channels: 3}}.",
        )
    return DataError(
        f"{name}, line 2: it has {n:,} pixels; expected a square number, such as 2,304 (48 x 48)",
        "correct the row; or write a card, which may state any height and width.",
    )


def _values(
    paths: Sequence[Path], at: Sequence[int | None], *, has_header: bool = True
) -> list[set[str]]:
    """The different values of some columns, stripped."""
    found: list[set[str]] = [set() for _ in at]
    for path in paths:
        with csv_rows(path) as (header, rows):
            every = chain([] if has_header else [(1, header)], rows)
            for _, row in every:
                for values, column in zip(found, at, strict=True):
                    if column is not None and column < len(row) and len(values) < _MOST_VALUES:
                        values.add(row[column].strip())
    return found


def _cells(paths: Sequence[Path], at: int, *, has_header: bool) -> Iterable[str]:
    for path in paths:
        with csv_rows(path) as (header, rows):
            yield from (row[at] for _, row in chain([] if has_header else [(1, header)], rows))


def _splits(
    name: str, header: list[str], usage: int | None, values: set[str], group: int | None
) -> Splits:
    if usage is None:
        return FER_SPLITS.model_copy(update={"group": None if group is None else header[group]})
    splits = split_roles(values - {""})
    if splits is None:
        raise columns.unknown_parts(name, header[usage], values - {""})
    return splits.model_copy(update={"group": None if group is None else header[group]})


def _class_names(label: str, found: set[str]) -> list[str] | dict[str, str] | None:
    """FER's classes for a column called emotion, as far as they occur.

    Otherwise None, for the labels themselves.
    """
    if columns.plain(label) != "emotion":
        return None
    known = {str(number): name for number, name in enumerate(_FER_CLASSES)}
    labels = {plain_label(text) for text in found if is_label(text)}
    words = {label.casefold(): label for label in sorted(labels, reverse=True)}
    used = {number: name for number, name in known.items() if {number, name} & words.keys()}
    others = words.keys() - {*known, *_FER_CLASSES}
    if not used and words:
        return None  # Emotions by other names.
    if others and not any(word.isdecimal() for word in words):
        return used | {words[other]: words[other] for other in sorted(others)}
    is_usable = not others and len(used) > 1
    return used if is_usable and len(used) < len(known) else _FER_CLASSES
