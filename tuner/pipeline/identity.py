"""What a run is: everything that decides its trials and scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner.backend import environment
from tuner.data.dataset import Dataset
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.weights import weights_digest
from tuner.models.source import source_digests
from tuner.names import is_own
from tuner.pipeline.run_options import RunOptions
from tuner.records.trial import StartSetting
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import each_family


def identity(
    options: RunOptions,
    file: SearchSpaceFile,
    dataset: Dataset,
    precision: str,
    starts: Sequence[StartSetting],
) -> dict[str, Any]:
    """What must be the same for a run to go on: whatever decides its trials and scores.

    Args:
        options: What you asked for.
        file: The space, with preset and options applied.
        dataset: The data, split.
        precision: In which trainings compute.
        starts: The settings that the search begins with.
    """
    split = dataset.split
    space = plain(asdict(replace(file, name="")))
    # What it comes to counts, not what was asked for: a run goes on where it must be asked for.
    del space["precision"]
    if not file.costs:
        # Runs of earlier versions, which had none, still go on.
        del space["costs"]
    # Likewise; a quick run of an earlier version drew other settings.
    if file.search.most_multiply_adds is None:
        del space["search"]["most_multiply_adds"]
    # Who looks on changes nothing.
    del space["track"]
    # What it buys is measured anew each time, and kept by the run that it has sized.
    budget = {"time_budget_s": options.time_budget_s} if options.is_sized else {}
    return {
        "space": space,
        "data": {
            "fingerprint": dataset.images.fingerprint,
            "train": [_digest(fold.train.tobytes()) for fold in split.folds],
            "validation": [_digest(fold.validation.tobytes()) for fold in split.folds],
            "test": _digest(split.test.tobytes()),
        },
        "builder": {
            path: digest
            for model in dict.fromkeys([file.model, *(start.model or "cnn" for start in starts)])
            if is_own(model)
            for path, digest in source_digests(model).items()
        },
        "weights": {path: weights_digest(name, path) for name, path in _weights(file)},
        "starts": [plain(asdict(start)) for start in starts],
        "seed": options.seed,
        "preset": options.preset,
        **budget,
        "keras": dict(environment.KERAS_SETTINGS),
        "backend": environment.settings()
        | {"gpu": environment.gpu_models(), "precision": precision},
    }


def in_precision(identity: Mapping[str, Any], precision: Any) -> dict[str, Any]:
    """The identity of the same run, trained in another precision."""
    return {**identity, "backend": {**identity["backend"], "precision": precision}}


def _weights(file: SearchSpaceFile) -> list[tuple[str, str]]:
    """Files that networks begin from, each with one of them: what is in the files may change."""
    named = [
        (family.model, path)
        for family in each_family(file)
        if family.model in BACKBONES
        for path in family.space.possible("weights")
    ]
    named += [("backbone", file.backbone.get("weights"))]
    return sorted({(name, path) for name, path in named if path not in (None, "imagenet", "none")})


def timed_name(identity: Any) -> str:
    """The time, and a hash of what is done, such as `20260131-101500-0a1b2c3d`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{short_digest(identity)}"


def short_digest(identity: Any) -> str:
    """A hash of a few letters, which tells identities apart in the names of folders."""
    return _digest(json.dumps(identity, sort_keys=True).encode())[:8]


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """What differs between two configurations, a line each: `space.search.factor is 4, was 3`."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*then, *now]):
            yield from differences(
                then.get(key), now.get(key), f"{path}.{key}" if path else str(key)
            )
    elif isinstance(then, list) and isinstance(now, list) and _named(then) and _named(now):
        yield from differences(_by_name(then), _by_name(now), path)
    elif then != now:
        # A hash tells you nothing.
        yield (
            f"{path} changed"
            if path.startswith(("data.", "builder.", "starts"))
            else f"{path} is {_short(now)}, was {_short(then)}"
        )


def plain(value: Any) -> Any:
    """Tuples, paths and NumPy's floats as YAML and JSON hold them."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value)
    return str(value) if isinstance(value, Path) else value


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {item["name"]: item for item in items}


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
