"""Data cards: what a data set is, where its files lie, and which part of it plays which role."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tuner.data.cards.kaggle_place import Kaggle
from tuner.data.cards.published_baseline import Baseline
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.formats.loaders import Files
from tuner.data.splits.split_rules import Policies, Splits
from tuner.names import one_line, plain_name
from tuner.space.documents.validation import Strict, shown

_FOLDER_NAME = re.compile(r"[^/\\\0]+")


class Card(Strict):
    """A data card."""

    version: Literal[1] = 1
    name: str = Field(
        min_length=1,
        max_length=120,
        description="lower-case letters and digits of any script, _ and -; no folder",
    )
    title: str
    description: str = ""
    source: str = ""
    licence: str = ""
    files: Files
    image: ImageSettings
    class_names: list[str] | dict[str, str] | None = Field(
        default=None,
        description=(
            "names in the order of the labels 0, 1, ...; or a mapping from the data's labels to"
            " names; not needed if the labels are names"
        ),
    )
    splits: Splits = Splits()
    policies: Policies = Policies()
    horizontal_flip: bool = Field(
        default=False, description="whether a mirrored image keeps its class"
    )
    fetch: str = Field(default="", description="how to get the data by hand")
    kaggle: Kaggle | None = None
    baseline: Baseline | None = None
    space: str | None = Field(
        default=None, description="name of its search space; the card's own name by default"
    )

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, name: str) -> str:
        if plain_name(name, "") != name:
            raise ValueError(
                f'is {shown(name)}; expected lower-case letters, digits, "_" and "-". | '
                f"write {plain_name(name, 'my_data')}."
            )
        return name

    @field_validator("title", "source", "licence", "fetch")
    @classmethod
    def _as_one_line(cls, text: str) -> str:
        return one_line(" ".join(text.split()))

    @field_validator("space")
    @classmethod
    def _is_no_path(cls, space: str | None) -> str | None:
        if space is not None and (space in ("", ".", "..") or not _FOLDER_NAME.fullmatch(space)):
            raise ValueError(
                f"is {shown(space)}; expected the name of a search space, without its folder."
            )
        return space

    @field_validator("class_names")
    @classmethod
    def _names_differ(
        cls, names: list[str] | dict[str, str] | None
    ) -> list[str] | dict[str, str] | None:
        found = list(names.values() if isinstance(names, dict) else names or ())
        if names is not None and (len(found) < 2 or len(set(found)) < len(found)):
            raise ValueError("must hold at least two names, all different | list each class once.")
        return names

    @field_validator("splits")
    @classmethod
    def _group_can_be_read(cls, splits: Splits, info: ValidationInfo) -> Splits:
        files = info.data.get("files")
        if splits.group is not None and files is not None:
            files.check_group(splits.group)
        return splits

    @model_validator(mode="after")
    def _kaggle_has_every_file(self) -> Self:
        if self.kaggle and set(self.kaggle.files) != set(self.paths):
            raise ValueError(
                f"has other files under kaggle than the card: {', '.join(self.paths)}. | name"
                " these."
            )
        return self

    @property
    def paths(self) -> list[str]:
        """The files and folders that hold the images, relative to the data root."""
        return self.files.paths

    @property
    def how_to_get(self) -> str:
        """What to do where the data are missing."""
        by_hand = self.fetch.strip().rstrip(".") or "put it there"
        return (
            f"`python -m tuner datasets fetch {self.name}`; or {by_hand}"
            if self.kaggle
            else by_hand
        )

    @property
    def space_name(self) -> str:
        """Name of the search space that belongs to the data."""
        return self.space or self.name

    def class_numbers(self) -> tuple[tuple[str, ...], dict[str, int]] | None:
        """The class names in order, and the class number of everything the data may call a class.

        Returns:
            None where the card names no classes, so that the loader derives them from the data.
        """
        if self.class_names is None:
            return None
        if isinstance(self.class_names, dict):
            labels, names = tuple(self.class_names), tuple(self.class_names.values())
        else:
            labels, names = tuple(map(str, range(len(self.class_names)))), tuple(self.class_names)
        numbers = {label: number for number, label in enumerate(labels)}
        # A label wins over an equal name: `class_names: {"0": "1", "1": "0"}` is odd, but clear.
        return names, {name: number for number, name in enumerate(names)} | numbers
