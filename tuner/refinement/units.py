"""What a space file declares at one name: a hyperparameter, its ranges, or all of its blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.space.definition import Parameter, by_name
from tuner.space.sampling import is_active
from tuner.space.vocabulary import VOCABULARIES

COUNTS_BLOCKS = "conv_blocks"
_NUMBERED = re.compile(r"(?P<base>.+)_(?P<index>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One name of a space file.

    Attributes:
        name: The name.
        ranges: Its ranges; one where it has no several.
        members: The hyperparameters that it declares: itself, or those of all blocks.
        implied: Parents whose conditions follow from the name.
    """

    name: str
    ranges: tuple[Parameter, ...]
    members: tuple[str, ...]
    implied: tuple[str, ...] = ()

    @property
    def is_per_block(self) -> bool:
        """Whether it is declared once for all blocks."""
        return self.members != (self.name,)

    def values(self, one: Parameter, setting: Mapping[str, Any]) -> list[Any]:
        """The values of one of its ranges in a setting; none where it is not active."""
        if not is_active(one, setting):
            return []
        return [setting[name] for name in self.members if name in setting]


def units_of(parameters: Sequence[Parameter], model: str) -> list[Unit]:
    """The names that declare these hyperparameters, in the order of the space.

    Blocks that are declared alike are one.
    """
    ranges = by_name(parameters)
    blocks: dict[str, dict[int, str]] = {}
    for name in ranges:
        if block := _block(name, model):
            blocks.setdefault(block[0], {})[block[1]] = name
    found: dict[str, Unit] = {}
    for name, own in ranges.items():
        block = _block(name, model)
        names = list(blocks[block[0]].values()) if block else []
        if block and len(names) > 1 and _are_alike([ranges[other] for other in names]):
            unit = Unit(
                name=block[0],
                ranges=tuple(_of_any_block(own)),
                members=tuple(names),
                implied=(COUNTS_BLOCKS,),
            )
        else:
            implied = (COUNTS_BLOCKS,) if block else ()
            unit = Unit(name=name, ranges=tuple(own), members=(name,), implied=implied)
        found.setdefault(unit.name, unit)
    return list(found.values())


def block_of(name: str, model: str) -> int | None:
    """Number of the block that a name belongs to; None where it belongs to none."""
    block = _block(name, model)
    return block[1] if block else None


def _block(name: str, model: str) -> tuple[str, int] | None:
    """The base and the number of a block's hyperparameter; of built-in families alone."""
    match, terms = _NUMBERED.fullmatch(name), VOCABULARIES.get(model, {})
    if match is None or name in terms or match["base"] not in terms:
        return None
    return match["base"], int(match["index"])


def _are_alike(blocks: Sequence[Sequence[Parameter]]) -> bool:
    first, *others = (_of_any_block(ranges) for ranges in blocks)
    return all(other == first for other in others)


def _of_any_block(ranges: Sequence[Parameter]) -> list[Parameter]:
    return [
        replace(
            one,
            name="",
            conditions=tuple(c for c in one.conditions if c.parent != COUNTS_BLOCKS),
        )
        for one in ranges
    ]
