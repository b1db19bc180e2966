"""The processor, as far as it decides in which precision a training is fast.

Imports no framework.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")

# Instructions that multiply bfloat16, as Linux names them: of x86 since Cooper Lake, Zen 4 and
# Sapphire Rapids, and of ARM.
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})

# Lines of /proc/cpuinfo that list a processor's abilities, on x86 and ARM.
_FLAG_LINES = ("flags", "Features")

# What oneDNN may be limited to (its documentation, "CPU Dispatcher Control"), and these have no
# such instructions.
_ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_ISAS_WITHOUT = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
)


def processor() -> str:
    """The processor's name, such as `AMD EPYC 9654 96-Core Processor`; `unknown` where none is."""
    return next(_values("model name"), "") or platform.processor() or "unknown"


def has_bfloat16_units() -> bool | None:
    """Whether the processor multiplies bfloat16 itself, and TensorFlow may use that.

    None where the operating system tells nothing of it.
    """
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0" or max_isa() in _ISAS_WITHOUT:
        return False
    return bool(flags() & _BFLOAT16_FLAGS) if flags() else None


def flags() -> set[str]:
    """The processor's abilities as Linux names them; empty on other systems."""
    return {flag for name in _FLAG_LINES for line in _values(name) for flag in line.split()}


def max_isa() -> str:
    """The instructions that oneDNN is limited to, such as `AVX2`; empty where it is not."""
    return next((os.environ[name].upper() for name in _ISA_VARIABLES if name in os.environ), "")


def _values(name: str) -> Iterator[str]:
    """What /proc/cpuinfo says of the first processor by a name; nothing on other systems."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            yield value.strip()
