"""Where on Kaggle a data set lies."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tuner.space.documents.validation import Strict


class Kaggle(Strict):
    """Where on Kaggle the data lie; `python -m tuner datasets fetch` gets them."""

    competition: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="its name in the address of its page",
    )
    dataset: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*(/versions/[0-9]+)?$",
        description="owner/name",
    )
    archive: str | None = Field(
        default=None,
        description="file to download, a zip or tar; everything by default",
    )
    files: dict[str, str] = Field(
        min_length=1,
        description="where each path of the card lies in the unpacked download",
    )

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.competition is None) == (self.dataset is None):
            raise ValueError("must name either a competition or a dataset. | give one of the two.")
        return self

    @property
    def page(self) -> str:
        """Address of its page."""
        kind = "competitions" if self.competition else "datasets"
        return f"https://www.kaggle.com/{kind}/{self.competition or self.dataset}"
