"""A card for a table that names image files and their labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.folders.part_names import split_roles
from tuner.data.formats.file_list import FileList
from tuner.data.own import columns
from tuner.data.own.columns import TableSample
from tuner.data.own.made_card import made_card
from tuner.data.tables.file_finder import FileFinder
from tuner.data.tables.table import csv_rows, table_stem
from tuner.errors import DataError
from tuner.names import printable

# Of the sampled rows, where values are no names of images: numbers may be those of files by chance.
_MOSTLY = 0.5
# Names of files come first, whatever else there is.
_MOST_COLUMNS = 50
_BOXES = frozenset(
    {"xmin", "ymin", "xmax", "ymax", "x1", "y1", "x2", "y2", "bbox", "width", "height"}
)
_SUFFIX = re.compile(r"\.(jpe?g|png|gif|webp|bmp|tiff?|ppm|pgm|avif|heic)$", re.IGNORECASE)
FILE_COLUMNS = """
    file filename filepath filepaths path paths image images img imagepath imagefile imagename
    imgpath imgname imageid imgid photo photoid picture id
""".split()  # noqa: SIM905


def list_card(path: Path, sample: TableSample) -> Card:
    """Make the card of a single table.

    Raises:
        DataError: If the table names no files that are there, or its labels are not clear.
    """
    fields, root = list_fields([path], sample)
    place = {"path": str(path.resolve()), "root": None if root is None else str(root)}
    return made_card(
        path.with_name(f"{table_stem(path)}.csv"),
        files=fields.pop("files").model_copy(update=place),
        **fields,
    )


def list_fields(paths: Sequence[Path], sample: TableSample) -> tuple[dict[str, Any], Path | None]:
    """What a card says of such tables but for path and root, and the root.

    The root is None where it is the tables' own folder.

    Raises:
        DataError: As `list_card`.
    """
    path, header = paths[0], sample.header
    if len({columns.plain(name) for name in header} & _BOXES) >= 3:
        raise DataError(
            f"{path.name}: it holds bounding boxes: several objects in one image",
            "image classifiers need one class for each image: cut the boxes out, and give them in"
            " class folders.",
        )
    at, root = found_files(path, sample)
    has_header = not _is_name(header[at], root)
    others = [other for other in range(len(header)) if other != at]
    usage = columns.usage_at(header, others) if has_header else None
    group = columns.group_at(header, [o for o in others if o != usage]) if has_header else None
    left = [other for other in others if other not in (usage, group)]
    labels = _labels(path.name, sample, left, has_header=has_header)
    splits: dict[str, Any] = {}
    if usage is not None:
        roles = split_roles(_parts(paths, usage))
        if roles is None:
            raise columns.unknown_parts(path.name, header[usage], _parts(paths, usage))
        splits = roles.model_dump()
    files = FileList(
        type="file_list",
        path="",
        header=has_header,
        file_column=header[at] if has_header else at,
        split_column=None if usage is None else header[usage],
        **labels,
    )
    image = _image(paths, sample, at, root, has_header=has_header)
    fields = {
        "files": files,
        "image": image,
        "splits": splits | {"group": None if group is None else header[group]},
    }
    own = all(one.parent.resolve() == root for one in paths)
    return fields, None if own or len({one.parent for one in paths}) > 1 else root


def found_files(path: Path, sample: TableSample) -> tuple[int, Path]:
    """The column that names files, and the folder that they start from.

    Raises:
        DataError: If there is no such column, several would do, or none of the files is there.
    """
    header, roots = sample.header, _roots(path)
    best: list[tuple[float, int, Path]] = []
    for at in range(min(len(header), _MOST_COLUMNS)):
        values = [value for value in sample.column(at) if value.strip()] or [header[at]]
        shares = [(_share(values, root), root) for root in roots]
        share, root = max(shares, key=lambda one: one[0])
        are_names = any(_SUFFIX.search(value.strip()) for value in values)
        if share > (0 if are_names else _MOSTLY):
            best.append((share, at, root))
    if not best:
        raise _no_files(path, sample)
    named = [one for one in best if columns.plain(header[one[1]]) in FILE_COLUMNS]
    chosen = named or best
    if len(chosen) > 1:
        chosen = sorted(
            chosen,
            key=lambda one: FILE_COLUMNS.index(columns.plain(header[one[1]])) if named else 0,
        )
        if not named:
            names = " and ".join(f'"{header[at]}"' for _, at, _ in chosen[:2])
            raise DataError(
                f"{path.name}: the columns {names} both name files",
                "write a card that names one: files: {type: file_list, path: FILE, file_column:"
                " ..., label_column: ...}.",
            )
    return chosen[0][1], chosen[0][2]


def _roots(path: Path) -> list[Path]:
    """Where names may start from: the table's folder, one called like it, images/, or others."""
    folder = path.parent.resolve()
    inside = [
        one
        for one in sorted(folder.iterdir())
        if one.is_dir() and not one.name.startswith((".", "__"))
    ]
    usual = {"images": 1, "image": 1, "imgs": 1, "img": 1}
    inside.sort(key=lambda one: usual.get(one.name.casefold(), 2))
    # Beside train.csv and train/, what lies in test/ is none of it.
    own = [one for one in inside if one.name.casefold() == table_stem(path).casefold()]
    return [folder, *(own or inside[:20])]


def _share(values: Sequence[str], root: Path) -> float:
    finder = FileFinder(root)
    return sum(finder.path(value) is not None for value in values) / len(values)


def _is_name(cell: str, root: Path) -> bool:
    return bool(_SUFFIX.search(cell)) or FileFinder(root).path(cell) is not None


def _labels(
    name: str, sample: TableSample, among: list[int], *, has_header: bool
) -> dict[str, Any]:
    header = sample.header
    label = columns.label_at(header, among) if has_header else among[0] if len(among) == 1 else None
    if label is not None and not (columns.is_one_hot(sample, among) and len(among) > 1):
        return {"label_column": header[label] if has_header else label}
    if columns.is_one_hot(sample, among):
        return {"label_columns": [header[at] if has_header else at for at in among]}
    shown = ", ".join(printable(one) for one in header[:8])
    if not among:
        raise DataError(
            f"{name}: it names files, but has no column of labels; found {shown}",
            "give the table that has labels, or put each class's images into a folder of its own.",
        )
    raise DataError(
        f"{name}: it names files, but several columns may hold their labels; found {shown}",
        "call the right one label; or write a card: files:"
        " {type: file_list, path: FILE, file_column: ..., label_column: ...}.",
    )


def _parts(paths: Sequence[Path], usage: int) -> set[str]:
    found: set[str] = set()
    for path in paths:
        with csv_rows(path) as (_, rows):
            found |= {row[usage].strip() for _, row in rows if usage < len(row)}
    return found - {""}


def _image(
    paths: Sequence[Path], sample: TableSample, at: int, root: Path, *, has_header: bool
) -> Any:
    from tuner.data.own.folder_card import typical_image

    finder = FileFinder(root)
    values = [*([] if has_header else [sample.header[at]]), *sample.column(at)]
    files = [Path(found) for value in values if (found := finder.path(value))]
    return typical_image(files, f"{paths[0].name}: its first rows name {len(files):,} files")


def _no_files(path: Path, sample: TableSample) -> DataError:
    header = sample.header
    shown = ", ".join(printable(one[:30]) for one in header[:5]) + (
        ", ..." if len(header) > 5 else ""
    )
    named = [
        value
        for row in [header, *sample.rows[:5]]
        for value in row
        if _SUFFIX.search(value.strip())
    ]
    if named:
        first = printable(named[0].strip())
        if re.match(r"/|\\\\|[A-Za-z]:", first):
            return DataError(
                f"{path.name}: it names files outside of its folder, such as {first[:80]}",
                "write paths relative to the table's folder, such as images/1.jpg.",
            )
        if "://" in first:
            return DataError(
                f"{path.name}: it names addresses on the web, such as {first[:60]}",
                "download the images first, and write the names of the files into the table.",
            )
        return DataError(
            f"{path.name}: it names files such as {first[:80]}, but none of them exists",
            f"put the images into {path.parent}, or into a folder images in it; if the names"
            " start in another folder, write a card that states root.",
        )
    return DataError(
        f"{path.name}: expected a column of labels and pixels, or of files; found {shown}",
        "name the columns in the first line: emotion,pixels,Usage; or label,pixel1,pixel2,...; or"
        " file,label.",
    )
