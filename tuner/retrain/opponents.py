"""Which backbones oppose the winner, given the weights that are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.models.backbones.catalog import BACKBONES
from tuner.records.contender import Contender
from tuner.retrain.contenders import FromScratch, from_scratch, pretrained
from tuner.space.retrain_settings import RetrainSettings

# Without a network, EfficientNetB2's weights are not to be had, but these come from a package.
OFFLINE = "efficientnet_lite2"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneRules:
    """How backbones are trained.

    Attributes:
        stated: What the space says of pretrained ones.
        scratch: How they are trained without weights.
        input_size: Pixels that images are resized to for pretrained ones, where the space does not
            say.
        retrain: How long a retraining may take.
    """

    stated: Mapping[str, Any]
    scratch: FromScratch
    input_size: int
    retrain: RetrainSettings


def backbone_opponents(
    tuned: Contender,
    names: Sequence[str],
    rules: BackboneRules,
    problem: Callable[[Contender], str | None],
    tell: Callable[[str], None],
) -> Iterator[Contender]:
    """Pretrained backbones.

    One whose weights cannot be had is trained from scratch, unless it is the last resort, and one
    that needs no download stands in for it.

    Args:
        tuned: The winner.
        names: Backbones that are asked for.
        rules: How they are trained.
        problem: Why a contender's weights cannot be had, in one line; None where they can.
        tell: Hears what becomes of a backbone without weights.
    """
    for name in names:
        contender = pretrained(tuned, name, rules.stated, rules.input_size, rules.retrain)
        reason = problem(contender)
        if reason is None:
            yield contender
            continue
        title = BACKBONES[name].title
        if not BACKBONES[name].application:
            tell(f"{title} is left out: {reason}")
            continue
        offline = pretrained(tuned, OFFLINE, rules.stated, rules.input_size, rules.retrain)
        stands_in = problem(offline) is None
        is_added = stands_in and OFFLINE not in names
        if rules.scratch.is_last_resort and stands_in:
            added = f". {BACKBONES[OFFLINE].title} is compared instead" if is_added else ""
            tell(f"{title} is left out: {reason}{added}")
        else:
            added = f". {BACKBONES[OFFLINE].title} is compared as well" if is_added else ""
            tell(f"{title} is trained from scratch, outside of the verdict: {reason}{added}")
            yield from_scratch(tuned, name, rules.scratch)
        if is_added:
            yield offline
