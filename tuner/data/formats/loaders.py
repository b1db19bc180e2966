"""The data formats by the type that a card states under `files`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from tuner.data.formats.array_csv import ArrayCsv
from tuner.data.formats.class_folders import ClassFolders
from tuner.data.formats.fer_csv import FerCsv
from tuner.data.formats.file_list import FileList
from tuner.data.formats.generators import Generated
from tuner.data.formats.loader import Loader
from tuner.data.formats.npz import Npz
from tuner.data.formats.pixel_columns import PixelColumns

LOADERS: Mapping[str, type[Loader]] = MappingProxyType(
    {
        "fer_csv": FerCsv,
        "pixel_columns": PixelColumns,
        "file_list": FileList,
        "class_folders": ClassFolders,
        "array_csv": ArrayCsv,
        "npz": Npz,
        "generator": Generated,
    }
)

if TYPE_CHECKING:
    Files = Loader
else:
    # The members are in the registry alone, which type checkers cannot follow.
    Files = Annotated[Union[tuple(LOADERS.values())], Field(discriminator="type")]  # noqa: UP007
