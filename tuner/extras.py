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
        "export": ("onnx>=1.18", "onnxruntime>=1.23", "tf2onnx>=1.17", "ai-edge-litert>=2.0"),
        "heic": ("pi-heif>=1.0",),
        "jax": ("jax>=0.6",),
        "kaggle": ("kagglehub>=1.0",),
        "mlflow": ("mlflow-skinny>=3.5", "sqlalchemy>=2.0", "alembic>=1.13"),
        "optuna": ("optuna>=4.4",),
        "parquet": ("pyarrow>=18",),
        "ray": ("ray>=2.60",),
        "serve": (
            "starlette>=1.0",
            "uvicorn>=0.40",
            "python-multipart>=0.0.20",
            "prometheus-client>=0.22",
        ),
        "wandb": ("wandb>=0.21",),
    }
)


def install_line(extra: str) -> str:
    """The command that installs what a feature needs, into the Python that `python` is.

    Args:
        extra: One of `EXTRAS`.
    """
    # Double quotes keep the `>` from the shell on Windows too.
    return " ".join(["python -m pip install", *(f'"{one}"' for one in EXTRAS[extra])])
