"""What the operating system tells of a processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.backend import cpu

GENOA = "processor\t: 0\nmodel name\t: AMD EPYC 9654\nflags\t\t: fpu avx2 avx512f avx512_bf16\n"
MILAN = "processor\t: 0\nmodel name\t: AMD EPYC 7763\nflags\t\t: fpu avx2\n"
SAPPHIRE = "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu avx2 amx_bf16 amx_tile\n"
GRAVITON = "processor\t: 0\nBogoMIPS\t: 2100.00\nFeatures\t: fp asimd bf16\n\nprocessor\t: 1\n"
# Of a part of a word: a processor that knows vector extensions, but not these.
NEARLY = "model name\t: Odd\nflags\t\t: avx512_bf16x xamx_bf16\n"
SILENT = "processor\t: 0\nmodel name\t: Odd\n"


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cpuinfo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(cpu, "_CPUINFO", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(
    ("content", "has_units", "name"),
    [
        (GENOA + "\n" + MILAN, True, "AMD EPYC 9654"),
        (MILAN + "\n" + GENOA, False, "AMD EPYC 7763"),
        (SAPPHIRE, True, "Xeon"),
        (GRAVITON, True, None),
        (NEARLY, False, "Odd"),
        (SILENT, None, "Odd"),
        ("\x00\xff", None, None),
    ],
)
def test_first_processors_flags_tell(
    cpuinfo: Path, content: str, has_units: bool | None, name: str | None
) -> None:
    cpuinfo.write_text(content, encoding="latin-1")
    assert cpu.has_bfloat16_units() is has_units
    assert cpu.processor() == name or (name is None and cpu.processor())


def test_system_that_tells_nothing_leaves_it_open(cpuinfo: Path) -> None:
    assert not cpuinfo.exists()
    assert cpu.has_bfloat16_units() is None
    assert cpu.processor()


@pytest.mark.parametrize(
    ("variable", "value", "has_units"),
    [
        ("ONEDNN_MAX_CPU_ISA", "AVX2", False),
        ("ONEDNN_MAX_CPU_ISA", "avx512_core_vnni", False),
        ("DNNL_MAX_CPU_ISA", "AVX512_CORE", False),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", True),
        ("ONEDNN_MAX_CPU_ISA", "ALL", True),
        ("TF_ENABLE_ONEDNN_OPTS", "0", False),
        ("TF_ENABLE_ONEDNN_OPTS", "1", True),
    ],
)
def test_units_that_onednn_may_not_use_are_none(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, has_units: bool
) -> None:
    cpuinfo.write_text(GENOA)
    monkeypatch.setenv(variable, value)
    assert cpu.has_bfloat16_units() is has_units
