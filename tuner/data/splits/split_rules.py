"""What a card says of its parts, and of images that would make scores dishonest."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tuner.space.documents.validation import Strict

Fraction = Annotated[float, Field(gt=0.0, lt=0.9)]


# What a part of the data is for.
Role = Literal["train", "validation", "test"]
# The same; empty where the data give no parts.
MaybeRole = Literal["train", "validation", "test", ""]


class Splits(Strict):
    """Which given part plays which role, and how large the parts are that must be cut."""

    train: str | None = Field(default=None, description="the data's own name for the training part")
    validation: str | None = None
    test: str | None = None
    test_fraction: Fraction | None = Field(
        default=None,
        description="share of all images that is the test part; 0.1, or 0.2 under 500 images",
    )
    validation_fraction: Fraction | None = Field(
        default=None,
        description=(
            "share of the other images that is the validation part, without folds; 0.1, or 0.2"
            " under 500 images"
        ),
    )
    group: str | None = Field(
        default=None,
        description=(
            "images of one group stay in one part. class_folders: a regular expression, searched"
            " in class/file, whose first bracket, or whole match without one, names the group;"
            " fer_csv, pixel_columns, file_list: the column that names it"
        ),
    )
    folds: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description=(
            "folds of cross-validation, one training of a trial for each; 1, or at most 5 under"
            " 500 images"
        ),
    )

    def roles(self) -> dict[str, Role]:
        """The role of each given part, by the data's own name for it.

        A role is `train`, `validation` or `test`.
        """
        named: dict[Role, str | None] = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return {part: role for role, part in named.items() if part is not None}


class Policies(Strict):
    """What becomes of images that would make scores dishonest.

    A test part that the data give always stays whole.
    """

    duplicates: Literal["drop_from_train", "keep", "drop"] = Field(
        default="drop_from_train",
        description=(
            "drop_from_train: leave out training and validation images that are identical to a"
            " given test image, and training images that are identical to a given validation"
            " image; drop: also keep each distinct image once only"
        ),
    )
    conflicting: Literal["drop", "keep"] = Field(
        default="drop", description="identical images with different classes"
    )
    unreadable: Literal["skip", "fail"] = Field(
        default="skip", description="skip: leave them out; fail: refuse the data"
    )
