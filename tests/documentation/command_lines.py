"""The command lines of the docs, and which of them no test executes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.documentation.fences import SHELLS, Block, blocks, typed_lines, without_blocks
from tests.documentation.texts import MARKDOWN, files, read

_START = re.compile(r"(?:python|\.venv/bin/python|\.venv\\Scripts\\python) -m tuner\b(.*)")
# What stands for any value in the docs, where an option takes a number or one of a few words.
_STANDS_FOR = {"--format": "onnx", "--to": "optuna", "--track": "optuna"}
# Commands that train, or need a trained model: `test_trained_commands.py` executes them.
NEED_TRAINING = ("export", "labels", "plan", "predict", "run", "serve", "track", "train")
# A pattern of lines that are parsed and not executed, to the reason.
NOT_EXECUTED = {
    r"\bpip install\b": "downloads packages",
    r"^(py|python3) -m venv\b": "makes an environment for packages that are downloaded",
    r"^make\b": "CI calls make, and `make soak` takes half an hour",
    r"\bdatasets fetch\b": "downloads data",
    r"--model (efficientnet_b2|dinov2_small)": "downloads weights",
    r"^KERAS_BACKEND=jax ": "another backend needs another process; `make test-jax` tests it",
    r"run .* --out \"\$HOME/reports\"": "repeats `run ./my_photos`, in a script",
    r"--to mlflow --to wandb": "takes 8 s of CPU to import; see tests/commands/test_track.py",
    r"--nested": "is several runs; tests/commands/test_nested.py has them",
    r"--executor ray\b|^ray |RAY_AUTH_MODE|^chmod .*\.ray/": "needs a cluster",
    r"^sbatch ": "needs SLURM",
    r"^docker ": "needs Docker and downloads images",
    r"/content/drive|^%%bash": "needs Colab",
    r"^python benchmarks/": "takes minutes",
    r"-m docs\.site\.api_page": "tests/api/test_reference.py compares its output with the page",
}
# Other programs that tests execute.
PROGRAMS = {
    r"^python -c ": "test_executed_commands.py",
    r"^python for_web/predict\.py ": "test_trained_commands.py",
    r"^curl ": "test_trained_commands.py",
}
# Pages whose commands another test executes in their order.
WHOLE_PAGES = {"docs/photos_to_phone.md": "tests/commands/test_photos_to_phone.py"}
# Blocks that are scripts start with the first line, or hold the second.
_SCRIPT = "#!/bin/bash\n"
_STARTS_SERVICE = "-m tuner serve exported/current --workers 2 &"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLine:
    """A line that a page tells you to type.

    Attributes:
        page: Its file.
        number: The line of the block's opening fence.
        text: What you type.
        is_of_script: Whether the block is a script.
    """

    page: str
    number: int
    text: str
    is_of_script: bool

    @property
    def reason(self) -> str | None:
        """Why it is not executed; None if it is."""
        return reason(self.text)

    @property
    def command(self) -> str | None:
        """What follows `python -m tuner`; None for another program."""
        match = _START.search(self.text)
        return match[1].strip() if match else None


def is_script(block: Block) -> bool:
    """Whether a block is a script, which `test_scripts.py` executes."""
    return block.text.startswith(_SCRIPT) or _STARTS_SERVICE in block.text


def reason(line: str) -> str | None:
    """Why a line is not executed; None if it is."""
    return next((why for what, why in NOT_EXECUTED.items() if re.search(what, line)), None)


def typed() -> Iterator[TypedLine]:
    """All lines of the blocks for shells, in the order of the pages."""
    for page in files(MARKDOWN):
        for block in blocks(read(page)):
            if block.language in SHELLS:
                for text in typed_lines(block):
                    yield TypedLine(
                        page=page, number=block.line, text=text, is_of_script=is_script(block)
                    )


def commands(text: str) -> list[str]:
    """What follows `python -m tuner` in blocks of code and in inline code."""
    lines = [line for one in blocks(text) if one.language in SHELLS for line in typed_lines(one)]
    outside = re.sub(r"(?<=\S)\n(?=[ ]*\S)", " ", without_blocks(text))
    inline = re.findall(r"`([^`\n]+)`", outside)
    return [match[1].strip() for one in (*lines, *inline) if (match := _START.search(one))]


def words(line: str) -> list[str]:
    """The arguments of a command line, without comments and the rest of a pipe."""
    line = re.sub(r"\$\w+", "1", line)
    line = re.split(r"`|\s[|&>]|\s#|&&", line.replace("...", " "))[0]
    found = shlex.split(line.replace("[", "").replace("]", ""))
    return [
        _STANDS_FOR.get(before, one) if one.isupper() else one
        for before, one in zip(["", *found], found, strict=False)
    ]
