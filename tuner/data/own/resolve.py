"""The card of a name, or one made up for the path of your own data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_names, load_card
from tuner.data.downloads.archive import archive_stem, is_archive
from tuner.data.downloads.unpacked import unpacked
from tuner.data.own.csv_card import csv_card
from tuner.data.own.folder_card import folder_card
from tuner.data.own.made_card import named
from tuner.data.own.npz_card import npz_card
from tuner.data.own.table_folder_card import table_folder_card
from tuner.data.tables.table import is_table, table_stem
from tuner.errors import ConfigurationError, DataError, MissingDataError
from tuner.space.documents.validation import nearest
from tuner.store.files.nearest_path import did_you_mean_path, nearest_path

_UNDERSTOOD = "give a folder of class folders, a .csv, a .npz, or a .zip or .tar.gz of them."
_ONE_ARRAY = (
    "give the folder that holds the arrays of images and labels; or save both in one file: "
    "numpy.savez(path, x=images, y=labels)."
)
_AS_CSV = "save the table as CSV (UTF-8)."
_AS_NPZ = "read it in Python, and save the arrays: numpy.savez(path, x=images, y=labels)."
_HINTS = {".npy": _ONE_ARRAY}
_HINTS |= dict.fromkeys(
    (".xlsx", ".xls", ".ods", ".json", ".jsonl", ".parquet", ".feather", ".txt"), _AS_CSV
)
_HINTS |= dict.fromkeys(
    (".mat", ".h5", ".hdf5", ".pkl", ".pickle", ".pt", ".pth", ".tfrecord"), _AS_NPZ
)


def resolve(target: str, folders: Sequence[Path], data_root: Path) -> Card:
    """Find the card of a name, or make one up for the path of your own data.

    The size of own photos is their typical one; `image_size.in_size` says in which they are read.

    Args:
        target: A card's name, a folder of class folders, a table, a `.npz`, a folder of these, or
            an archive.
        folders: Where cards are looked for.
        data_root: Folder of the data; a path may be relative to it, too.

    Raises:
        ConfigurationError: If it is neither a card nor a path.
        DataError: If the path is missing, or its data cannot be understood.
    """
    if target in card_names(folders):
        return load_card(target, folders)
    path = own_path(target, data_root)
    if is_archive(path) and path.is_file():
        return card_for(unpacked(path, data_root)).model_copy(
            update=named(table_stem(Path(archive_stem(path))))
        )
    if (
        path.exists()
        or "/" in target
        or os.sep in target
        or path.suffix == ".npz"
        or is_table(path)
        or is_archive(path)
    ):
        return card_for(path)
    near = nearest_path(path)
    if near and not nearest(target, card_names(folders)):
        raise ConfigurationError(
            f'no data set, folder or file is called "{target}"', f'did you mean "./{near}"?'
        )
    return load_card(target, folders)


def own_path(target: str, data_root: Path) -> Path:
    """The path of your own data.

    It may be relative to the working directory or to the folder of the data.

    Args:
        target: As on the command line; the working directory comes first.
        data_root: Folder of the data.
    """
    path = Path(target)
    return data_root / path if not path.exists() and (data_root / path).exists() else path


def card_for(path: Path) -> Card:
    """Make a card for a folder of class folders, a FER-style CSV or an NPZ.

    Raises:
        DataError: If the path is missing, or is none of these.
    """
    if not path.exists():
        raise MissingDataError(
            f"{path}: there is no such file or folder",
            f"{did_you_mean_path(path)}check the path, or try `python -m tuner run"
            " drawn_faces --preset quick`.",
        )
    if path.is_dir():
        return table_folder_card(path) or folder_card(path)
    if is_table(path):
        return csv_card(path)
    if path.suffix.lower() == ".npz":
        return npz_card(path)
    raise DataError(
        f"{path}: this kind of file is not supported",
        _HINTS.get(path.suffix.lower(), _UNDERSTOOD),
    )
