"""The registry of data formats."""

from __future__ import annotations

from typing import get_args

import pytest

from tuner.data.formats.loader import Loader
from tuner.data.formats.loaders import LOADERS


@pytest.mark.parametrize("name", LOADERS)
def test_each_format_is_registered_by_its_type(name: str) -> None:
    assert get_args(LOADERS[name].model_fields["type"].annotation) == (name,)


@pytest.mark.parametrize("loader", LOADERS.values())
def test_each_format_says_how_it_is_read(loader: type[Loader]) -> None:
    assert loader.sources is not Loader.sources
    assert loader.read is not Loader.read
    assert (loader.stream is not Loader.stream) == loader.has_image_files


@pytest.mark.parametrize("loader", LOADERS.values())
def test_keys_of_paths_are_keys_of_the_format(loader: type[Loader]) -> None:
    assert {*loader.path_keys, *loader.inner_keys} <= set(loader.model_fields)


def test_groups_have_a_meaning_where_images_have_names_or_columns() -> None:
    with_groups = {name for name, loader in LOADERS.items() if loader.takes_group}
    assert with_groups == {"fer_csv", "pixel_columns", "file_list", "class_folders"}
