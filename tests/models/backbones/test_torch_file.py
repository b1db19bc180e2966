"""PyTorch's files: tensors are read, anything else is refused before it can run."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.models.backbones.torch_files import (
    HEADER,
    elements,
    named,
    storage,
    tensor,
    text,
    torch_file,
)
from tuner.models.backbones.torch_file import read_tensors
from tuner.models.backbones.weights import WeightsError

SIX = np.arange(6, dtype="float32")
WHOLE = torch_file(named({"a": tensor(storage("s", 6), (2, 3), (3, 1))}), {"s": SIX})


def read(folder: Path, data: bytes, sha256: str | None = None) -> dict[str, np.ndarray]:
    path = folder / "weights.pth"
    path.write_bytes(data)
    return read_tensors(path, sha256)


def refusal(folder: Path, data: bytes) -> str:
    with pytest.raises(WeightsError) as caught:
        read(folder, data)
    assert (
        caught.value.hint
        == "delete the file and install its package again; use no file from elsewhere."
    )
    return caught.value.message


def test_tensors_are_views_of_their_storages_in_any_order_of_axes(tmp_path: Path) -> None:
    counts = np.array([7], dtype="int64")
    described = named(
        {
            "rows": tensor(storage("s", 6), (2, 3), (3, 1)),
            "columns": tensor(storage("s", 6), (3, 2), (1, 3)),
            "end": tensor(storage("s", 6), (2,), (1,), offset=4),
            "count": tensor(storage("n", 1, b"ctorch\nLongStorage\n"), (), ()),
        }
    )
    tensors = read(tmp_path, torch_file(described, {"s": SIX, "n": counts}))
    np.testing.assert_array_equal(tensors["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["columns"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(tensors["end"], [4, 5])
    assert tensors["count"].shape == ()
    assert tensors["count"] == 7
    assert not any(one.flags.writeable for one in tensors.values())


class Attack:
    """Unpickled by ordinary means, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"mkdir {self.folder}",)


@pytest.mark.parametrize("before", [b"", HEADER], ids=["first", "in place of the tensors"])
@pytest.mark.parametrize("protocol", range(6))
def test_malicious_pickle_is_refused_by_name_and_runs_nothing(
    tmp_path: Path, before: bytes, protocol: int
) -> None:
    trace = tmp_path / "trace"
    attack = pickle.dumps(Attack(trace), protocol=protocol)
    reason = refusal(tmp_path, before + attack)
    assert reason == f"weights.pth: it names {os.name}.system, which is no part of a tensor"
    assert not trace.exists()
    # The attack is a real one.
    pickle.loads(attack)
    assert trace.is_dir()


@pytest.mark.parametrize(
    "name",
    [
        "builtins eval",
        "torch load",
        "torch._utils _rebuild_tensor",
        "collections Counter",
        "torch FloatStorage2",
    ],
)
def test_any_other_name_is_refused(tmp_path: Path, name: str) -> None:
    reason = refusal(tmp_path, HEADER + b"c" + name.replace(" ", "\n").encode() + b"\n.")
    assert reason == f"weights.pth: it names {name.replace(' ', '.')}, which is no part of a tensor"


def test_name_that_steers_a_terminal_is_escaped_and_cut(tmp_path: Path) -> None:
    reason = refusal(tmp_path, HEADER + b"c\x1b[2Jevil\n" + b"x" * 1000 + b"\n.")
    assert reason.startswith(r"weights.pth: it names \x1b[2Jevil.xxx")
    assert len(reason) < 230


def test_another_file_than_the_published_one_is_not_even_unpickled(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE, hashlib.sha256(WHOLE).hexdigest()).keys() == {"a"}
    with pytest.raises(
        WeightsError, match=r"weights\.pth: its SHA-256 begins with [0-9a-f]{16}; expected 00000000"
    ):
        read(tmp_path, pickle.dumps(Attack(tmp_path / "trace")), "0" * 64)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"gone\.pth: it cannot be read: No such file or directory"
    ):
        read_tensors(tmp_path / "gone.pth")


def test_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    for n in range(len(WHOLE)):
        assert refusal(tmp_path, WHOLE[:n]).startswith("weights.pth: ")


def test_what_follows_the_last_storage_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, WHOLE + b"x") == "weights.pth: something follows its last storage"


@pytest.mark.parametrize(
    ("described", "stored", "reason"),
    [
        (
            tensor(storage("s", 2**30), (6,), (1,)),
            (2**30).to_bytes(8, "little") + SIX.tobytes(),
            f"storage s ends after 24 of {2**32} bytes",
        ),
        (
            tensor(storage("s", 5), (5,), (1,)),
            elements(SIX),
            "storage s has 6 elements; expected 5",
        ),
        (
            tensor(storage("s", 6), (2**20, 2**20), (0, 0)),
            elements(SIX),
            "a tensor of (1048576, 1048576) does not fit into its storage of 6 elements",
        ),
        (
            tensor(storage("s", 6), (2,), (-1,)),
            elements(SIX),
            "a tensor of (2,) does not fit into its storage of 6 elements",
        ),
        (
            tensor(storage("s", 6), (2,), (6,)),
            elements(SIX),
            "it is damaged, or no PyTorch file from before 1.6",
        ),
        (
            tensor(storage("s", 6), (3,), (1,), 4),
            elements(SIX),
            "it is damaged, or no PyTorch file from before 1.6",
        ),
        (
            tensor(storage("s", 6, text("O")), (1,), (1,)),
            elements(SIX),
            "it holds storages of another layout",
        ),
        (text("no tensor"), elements(SIX), "it holds other things than named tensors"),
        (
            tensor(storage("t", 6), (6,), (1,)),
            elements(SIX),
            "its list of storages is not that of its tensors",
        ),
    ],
    ids=[
        "oversized",
        "other size",
        "stride 0",
        "backwards",
        "stride",
        "offset",
        "objects",
        "text",
        "other key",
    ],
)
def test_tensor_must_lie_within_what_the_file_holds(
    tmp_path: Path, described: bytes, stored: bytes, reason: str
) -> None:
    data = HEADER + named({"a": described}) + pickle.dumps(["s"], protocol=2) + stored
    assert refusal(tmp_path, data) == f"weights.pth: {reason}"


def test_storage_stated_in_two_ways_is_refused(tmp_path: Path) -> None:
    described = named(
        {"a": tensor(storage("s", 6), (6,), (1,)), "b": tensor(storage("s", 60), (6,), (1,))}
    )
    assert (
        refusal(tmp_path, torch_file(described, {"s": SIX}))
        == "weights.pth: it states storage s in two ways"
    )


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        (b"Nr\xff\xff\xff\x7f", "LONG_BINPUT 2147483647"),
        (b"Np2000000000\n", "PUT 2000000000"),
        (b"\x82\x01", "EXT1 1"),
    ],
)
def test_instruction_that_claims_memory_or_an_extension_is_refused(
    tmp_path: Path, instruction: bytes, name: str
) -> None:
    reason = refusal(tmp_path, HEADER + b"\x80\x02" + instruction + b".")
    assert reason == f"weights.pth: its pickle has an instruction {name} that no tensor needs"


@pytest.mark.parametrize("header", [{"little_endian": False}, {}, []], ids=str)
def test_other_layouts_are_refused(tmp_path: Path, header: object) -> None:
    data = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(header, 2)
    assert "no PyTorch file from before 1.6" in refusal(tmp_path, data)


def test_zip_of_a_newer_pytorch_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"PK\x03\x04" + bytes(100)).endswith(
        "it is damaged, or no PyTorch file from before 1.6"
    )
