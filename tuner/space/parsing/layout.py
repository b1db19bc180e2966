"""The flat parameters behind the keys of `space:`.

`per` gives one per block; NAME_i belongs to block i. A name with several ranges has a declaration
for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tuner.space.documents.strict_yaml import KeyPath
from tuner.space.parsing.parameter_specs import (
    BooleanSpec,
    ChoiceSpec,
    FixedSpec,
    FloatSpec,
    IntSpec,
)
from tuner.space.vocabulary import Term

AnySpec = IntSpec | FloatSpec | ChoiceSpec | BooleanSpec | FixedSpec
# Where a declaration stands under `space:`: at a name, or as one of its several ranges.
SpecKey = tuple[str] | tuple[str, int]

# Blocks that `per` may count, and flat parameters of a whole space: a tenth of it is more than any
# search can explore.
MAX_BLOCKS = 100
MAX_PARAMETERS = 1_000
# Numbers of blocks of several ranges are listed up to so many; `MAX_BLOCKS` refuses more anyway.
_MAX_LISTED = 10_000

_NUMBERED = re.compile(r"(?P<base>.+)_(?P<index>0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterBlock:
    """The block that a parameter belongs to.

    Attributes:
        base: The name without its number.
        parent: The parameter that counts the blocks.
        index: From 0.
    """

    base: str
    parent: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatParameter:
    """One flat parameter.

    Attributes:
        key: Where under `space:` it is declared.
        spec: Its declaration.
        block: The block it belongs to; None where it serves the whole network.
    """

    key: SpecKey
    spec: AnySpec
    block: ParameterBlock | None

    @property
    def path(self) -> KeyPath:
        """Where it is declared, from the top of the file."""
        return path_of(self.key)

    @property
    def place(self) -> int | None:
        """Its number among several ranges, from 0; None where there is one only."""
        return place_of(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The keys of `space:` as they stand in the file.

    Attributes:
        specs: The declarations of each name, several where it has several ranges; in the order of
            the file, without those that have mistakes of shape.
        terms: The family's vocabulary; None for your own builder, where any name is allowed.
    """

    specs: Mapping[str, Mapping[SpecKey, AnySpec]]
    terms: Mapping[str, Term] | None

    def stated(self) -> Iterator[tuple[SpecKey, AnySpec]]:
        """Every declaration, with where it stands."""
        return chain.from_iterable(ranges.items() for ranges in self.specs.values())

    def ranges(self, name: str) -> tuple[AnySpec, ...]:
        """All declarations of a name, most often one."""
        return tuple(self.specs.get(name, {}).values())

    def block(self, key: str) -> ParameterBlock | None:
        """The block that a key such as `filters_0` belongs to; None for every other key."""
        match = _NUMBERED.fullmatch(key)
        if match is None or (self.terms is not None and key in self.terms):
            return None
        base = match["base"]
        if self.terms is not None:
            per_block = base in self.terms and self.terms[base].per_block
            parent = "conv_blocks" if per_block else None
        else:
            parent = next(map(per, self.ranges(base)), None)
        return (
            ParameterBlock(base=base, parent=parent, index=int(match["index"])) if parent else None
        )

    def counts(self, parent: str) -> Sequence[int] | None:
        """All values of the parameter that counts blocks; None where it is no plain whole number.

        They may be many: `most` is their greatest.
        """
        ranges = self.ranges(parent)
        if not ranges and self.terms is not None and parent in self.terms:
            term = self.terms[parent]
            return (term.default,) if term.kind == "int" else None
        found = [counts for spec in ranges if (counts := _counts(spec)) is not None]
        if not found or len(found) < len(ranges):
            return None
        if len(found) == 1:
            return found[0]
        if sum(map(len, found)) > _MAX_LISTED:
            return range(min(map(_least, found)), max(map(_greatest, found)) + 1)
        return sorted(set(chain.from_iterable(found)))

    def most(self, parent: str) -> int | None:
        """The greatest value of the parameter that counts blocks; None where it has none."""
        counts = self.counts(parent)
        return _greatest(counts) if counts else None

    def entries(self) -> dict[str, list[FlatParameter]]:
        """The flat parameters by name; a list for each, since a name may have several ranges.

        A NAME_i of its own takes the place of the one that `per` would give.
        """
        flat: dict[str, list[FlatParameter]] = {}
        for key, spec in self.stated():
            name, parent = key[0], per(spec)
            if parent is None:
                found = FlatParameter(key=key, spec=spec, block=self.block(name))
                flat.setdefault(name, []).append(found)
                continue
            for index in range(min(self.most(parent) or 0, MAX_BLOCKS)):
                if f"{name}_{index}" not in self.specs:
                    block = ParameterBlock(base=name, parent=parent, index=index)
                    found = FlatParameter(key=key, spec=spec, block=block)
                    flat.setdefault(f"{name}_{index}", []).append(found)
        return flat


def _counts(spec: AnySpec) -> Sequence[int] | None:
    if per(spec) is not None:
        return None
    if isinstance(spec, IntSpec):
        return range(spec.min, spec.max + 1, max(1, spec.step or 1))
    if isinstance(spec, FixedSpec | ChoiceSpec):
        values = [spec.value] if isinstance(spec, FixedSpec) else spec.values
        return tuple(values) if all(type(value) is int for value in values) else None
    return None


def _least(counts: Sequence[int]) -> int:
    # Python's min and max would go through all values of a range.
    return counts[0] if isinstance(counts, range) else min(counts)


def _greatest(counts: Sequence[int]) -> int:
    return counts[-1] if isinstance(counts, range) else max(counts)


def path_of(key: SpecKey) -> KeyPath:
    """Where a declaration stands, from the top of the file."""
    return ("space", *key)


def place_of(key: SpecKey) -> int | None:
    """The number of a declaration among several ranges, from 0; None where there is one only."""
    return key[1] if len(key) == 2 else None


def per(spec: AnySpec) -> str | None:
    """What the declaration is repeated for; None where it stands once."""
    return None if isinstance(spec, FixedSpec) else spec.per
