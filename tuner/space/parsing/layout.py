"""The flat parameters behind the keys of `space:`.

`per` gives one per block; NAME_i belongs to block i.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuner.space.parsing.parameter_specs import (
    BooleanSpec,
    ChoiceSpec,
    FixedSpec,
    FloatSpec,
    IntSpec,
)
from tuner.space.vocabulary import Term

AnySpec = IntSpec | FloatSpec | ChoiceSpec | BooleanSpec | FixedSpec

# Blocks that `per` may count, and flat parameters of a whole space: a tenth of it is more than any
# search can explore.
MAX_BLOCKS = 100
MAX_PARAMETERS = 1_000

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
        key: The key under `space:` that declares it.
        spec: Its declaration.
        block: The block it belongs to; None where it serves the whole network.
    """

    key: str
    spec: AnySpec
    block: ParameterBlock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The keys of `space:` as they stand in the file.

    Attributes:
        specs: The declarations by key, in the order of the file; those with mistakes of shape are
            left out.
        terms: The family's vocabulary; None for your own builder, where any name is allowed.
    """

    specs: Mapping[str, AnySpec]
    terms: Mapping[str, Term] | None

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
            parent = per(self.specs[base]) if base in self.specs else None
        return (
            ParameterBlock(base=base, parent=parent, index=int(match["index"])) if parent else None
        )

    def counts(self, parent: str) -> Sequence[int] | None:
        """All values of the parameter that counts blocks; None where it is no plain whole number.

        They may be many: `most` is their greatest.
        """
        spec = self.specs.get(parent)
        if isinstance(spec, IntSpec) and spec.per is None:
            return range(spec.min, spec.max + 1, max(1, spec.step or 1))
        if isinstance(spec, FixedSpec | ChoiceSpec) and per(spec) is None:
            values = [spec.value] if isinstance(spec, FixedSpec) else spec.values
            return tuple(values) if all(type(value) is int for value in values) else None
        if (
            spec is None
            and self.terms is not None
            and parent in self.terms
            and self.terms[parent].kind == "int"
        ):
            return (self.terms[parent].default,)
        return None

    def most(self, parent: str) -> int | None:
        """The greatest value of the parameter that counts blocks; None where it has none."""
        counts = self.counts(parent)
        if not counts:
            return None
        # Python's max would go through all values of a range.
        return counts[-1] if isinstance(counts, range) else max(counts)

    def entries(self) -> dict[str, FlatParameter]:
        """The flat parameters by name.

        A NAME_i of its own takes the place of the one that `per` would give.
        """
        flat: dict[str, FlatParameter] = {}
        for key, spec in self.specs.items():
            parent = per(spec)
            if parent is None:
                flat[key] = FlatParameter(key=key, spec=spec, block=self.block(key))
                continue
            for index in range(min(self.most(parent) or 0, MAX_BLOCKS)):
                name = f"{key}_{index}"
                if name not in self.specs:
                    flat[name] = FlatParameter(
                        key=key,
                        spec=spec,
                        block=ParameterBlock(base=key, parent=parent, index=index),
                    )
        return flat


def per(spec: AnySpec) -> str | None:
    """What the declaration is repeated for; None where it stands once."""
    return None if isinstance(spec, FixedSpec) else spec.per
