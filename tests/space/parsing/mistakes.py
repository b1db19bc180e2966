"""Spaces with a mistake, and what is said of it."""

from __future__ import annotations

import pytest

from tuner.errors import ConfigurationError
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space


def mistakes(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_space(parse_document(text, "my.yaml"))
    return str(caught.value)


def in_space(*lines: str, head: str = "") -> str:
    """The message for lines under `space:`; the first of them is line 3, or 4 with a head."""
    return mistakes(
        "\n".join(
            ["version: 1", *([head] if head else []), "space:", *(f"  {line}" for line in lines)]
        )
    )


OPTIMIZER = "optimizer: [adam, sgd]"
