"""What is made of which devices."""

from __future__ import annotations

import pytest

from tuner.backend.policy import PLAIN, Gpu, choose

T4 = Gpu(name="Tesla T4", capability=(7, 5))
A100 = Gpu(name="NVIDIA A100", capability=(8, 0))
P100 = Gpu(name="Tesla P100", capability=(6, 0))
RADEON = Gpu(name="gfx90a", capability=None)


def test_cpu_gets_float32_without_xla() -> None:
    assert choose([]) == PLAIN
    assert (PLAIN.precision, PLAIN.uses_xla, PLAIN.predict_batch) == ("float32", False, 256)
    assert str(PLAIN) == "none"


@pytest.mark.parametrize(
    ("gpus", "precision"),
    [
        ([P100], "float32"),
        ([Gpu(name="Tesla V100", capability=(7, 0))], "mixed_float16"),
        ([T4], "mixed_float16"),
        ([A100], "mixed_bfloat16"),
        ([Gpu(name="NVIDIA B200", capability=(10, 0))], "mixed_bfloat16"),
        ([A100, T4], "mixed_float16"),
        ([A100, P100], "float32"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(gpu.name for gpu in value),
)
def test_weakest_gpu_decides_the_precision(gpus: list[Gpu], precision: str) -> None:
    chosen = choose(gpus)
    assert (chosen.precision, chosen.uses_xla, chosen.predict_batch) == (precision, True, 512)


def test_gpus_of_unknown_abilities_predict_more_and_no_more_than_that() -> None:
    chosen = choose([A100, RADEON])
    assert (chosen.precision, chosen.uses_xla, chosen.predict_batch) == ("float32", False, 512)


def test_policy_says_what_it_does() -> None:
    assert str(choose([A100])) == "mixed_bfloat16, XLA, predictions of 512 images of 48 x 48 pixels"
    assert str(choose([RADEON])) == "float32, predictions of 512 images of 48 x 48 pixels"


@pytest.mark.parametrize(("side", "n"), [(1, 256), (48, 256), (256, 9), (260, 8), (2048, 1)])
def test_of_larger_images_fewer_are_predicted_together(side: int, n: int) -> None:
    assert PLAIN.n_together(side * side) == n
