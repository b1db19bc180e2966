"""A new run's folder, or the unfinished one that goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuner.backend import environment
from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.weights import weights_digest
from tuner.models.registry import is_own
from tuner.models.source import source_digests
from tuner.pipeline.run_options import RunOptions
from tuner.space.definition import SearchSpaceFile
from tuner.store.run_folder import RunFolder

SHOWN_DIFFERENCES = 5


def identity(options: RunOptions, file: SearchSpaceFile, dataset: Dataset) -> dict[str, Any]:
    """What must be the same for a run to go on: whatever decides its trials and scores."""
    split = dataset.split
    return {
        "space": plain(asdict(replace(file, name=""))),
        "data": {
            "fingerprint": dataset.images.fingerprint,
            "train": [_digest(fold.train.tobytes()) for fold in split.folds],
            "validation": [_digest(fold.validation.tobytes()) for fold in split.folds],
            "test": _digest(split.test.tobytes()),
        },
        "builder": source_digests(file.model) if is_own(file.model) else {},
        "weights": {path: weights_digest(file.model, path) for path in _weights(file)},
        "seed": options.seed,
        "preset": options.preset,
        "keras": dict(environment.KERAS_SETTINGS),
        "backend": environment.settings() | {"gpu": environment.gpu_models()},
    }


def _weights(file: SearchSpaceFile) -> list[str]:
    """Files that networks begin from: what is in them may change."""
    searched = [
        parameter.choices for parameter in file.space.parameters if parameter.name == "weights"
    ]
    named = [
        *(searched[0] if searched else ()),
        file.space.fixed.get("weights"),
        file.backbone.get("weights"),
    ]
    is_backbone = file.model in BACKBONES
    own = named if is_backbone else named[-1:]
    return sorted({str(path) for path in own if path not in (None, "imagenet", "none")})


def open_run(
    options: RunOptions, root: Path, now: Mapping[str, Any]
) -> tuple[RunFolder, bool, list[str]]:
    """The folder to work in, whether it is an unfinished run's, and which unfinished runs are passed over as damaged.

    Args:
        options: `resume` says what you want: None takes up an unfinished run of the same identity,
            if any.
        root: Where the data set's runs are.
        now: `identity` of what you ask for.

    Raises:
        ConfigurationError: If a run is to be resumed, but there is none, none of the same identity,
            or only one whose configuration is damaged.
    """
    then, damaged = {}, list[ConfigurationError]()
    for run in [] if options.resume is False else _unfinished(root):
        try:
            then[run] = run.read_config().get("identity", {})
        except ConfigurationError as error:
            damaged.append(error)
    passed_over = [f"an unfinished run is passed over: {error.message}" for error in damaged]
    for run, identity_then in then.items():
        if identity_then == now:
            return run, True, passed_over
    if options.resume:
        if then:
            run = next(iter(then))
            raise _changed(run, list(differences(then[run], now)))
        if damaged:
            raise damaged[0]
        raise ConfigurationError(
            f"{root}: there is no unfinished run to resume", "leave --resume out."
        )
    return RunFolder(root / timed_name(now)), False, passed_over


def newest_run(root: Path, now: Mapping[str, Any]) -> RunFolder | None:
    """The newest run of an identity, ended or not; None where there is none."""
    for path in sorted(root.glob(f"*-{_short_digest(now)}"), reverse=True):
        with suppress(ConfigurationError):
            if RunFolder(path).read_config().get("identity") == now:
                return RunFolder(path)
    return None


def timed_name(identity: Any) -> str:
    """The time, and a hash of what is done, such as `20260131-101500-0a1b2c3d`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{_short_digest(identity)}"


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """What differs between two configurations, one line each, such as `space.search.factor is 4, was 3`."""
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
            if path.startswith(("data.", "builder."))
            else f"{path} is {_short(now)}, was {_short(then)}"
        )


def plain(value: Any) -> Any:
    """Tuples, paths and NumPy's floats as YAML and JSON know them."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value)
    return str(value) if isinstance(value, Path) else value


def _unfinished(root: Path) -> list[RunFolder]:
    """The unfinished runs of a data set, the newest first."""
    if not root.is_dir():
        return []
    runs = [RunFolder(path) for path in sorted(root.iterdir(), reverse=True)]
    return [run for run in runs if run.is_unfinished]


def _changed(run: RunFolder, found: list[str]) -> ConfigurationError:
    more = f" and {len(found) - SHOWN_DIFFERENCES} more" if len(found) > SHOWN_DIFFERENCES else ""
    return ConfigurationError(
        f"{run.path}: cannot be resumed, as it was begun with something else: "
        f"{'; '.join(found[:SHOWN_DIFFERENCES])}{more}",
        "restore what has changed, or start a run of its own with --fresh.",
    )


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) and isinstance(item.get("name"), str) for item in items)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {item["name"]: item for item in items}


def _short(value: Any) -> str:
    text = "not there" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _short_digest(identity: Any) -> str:
    return _digest(json.dumps(identity, sort_keys=True).encode())[:8]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
