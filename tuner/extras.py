"""What some features need beside the requirements, and the line that installs it.

No line names this distribution: whoever installs one of its extras by name gets what the index has
under that name, which may be somebody else's. A line that names the needed package itself is right
however this copy was installed. See docs/adr/0014-distribution-name.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The same as `options.extras_require` in setup.cfg; a test holds them together.
EXTRAS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "heic": ("pi-heif>=1.0",),
        "jax": ("jax>=0.6",),
        "kaggle": ("kagglehub>=1.0",),
        "ray": ("ray>=2.60",),
        "serve": (
            "starlette>=1.0",
            "uvicorn>=0.40",
            "python-multipart>=0.0.20",
            "prometheus-client>=0.22",
        ),
    }
)


def install_line(extra: str) -> str:
    """The command that installs what a feature needs, into the Python that `python` is.

    Args:
        extra: One of `EXTRAS`.
    """
    # Double quotes keep the `>` from the shell on Windows too.
    return " ".join(["python -m pip install", *(f'"{one}"' for one in EXTRAS[extra])])
