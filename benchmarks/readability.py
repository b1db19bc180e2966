"""How readable the prose of Markdown files is: words per sentence, Flesch's reading ease.

Usage, in a checkout, for files as they are or as a commit has them:

    python benchmarks/readability.py README.md docs/running.md docs/report.md [--against COMMIT]

Flesch (Journal of Applied Psychology 32, 1948): 206.835 - 1.015 words per sentence - 84.6 syllables
per word; higher is easier. Syllables are counted as groups of vowels, without a silent final e, so
compare two texts and quote no single value. Code, tables and headings are left out; code within a
sentence counts as one word of one syllable.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import mean


@dataclass(frozen=True, slots=True)
class Readability:
    """Numbers of one text.

    Attributes:
        n_sentences: Sentences of prose, items of lists included.
        words: Mean words of a sentence.
        long_share: Share of sentences with more than 25 words.
        flesch: Reading ease.
        longest_line: Characters of the longest line that is no table or code.
    """

    n_sentences: int
    words: float
    long_share: float
    flesch: float
    longest_line: int


def main() -> None:
    """Print a row for each file, and for its earlier form."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--against", metavar="COMMIT")
    args = parser.parse_args()
    print("file | sentences | words per sentence | over 25 words | Flesch | longest line")
    for file in args.files:
        if args.against:
            show(f"{file} at {args.against}", earlier(args.against, file))
        show(str(file), file.read_text(encoding="utf-8"))


def earlier(commit: str, file: Path) -> str:
    """A file's text as a commit has it."""
    command = ["git", "show", f"{commit}:{file.as_posix()}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def show(name: str, text: str) -> None:
    """Print one row."""
    found = measure(text)
    print(
        f"{name} | {found.n_sentences} | {found.words:.1f} | {found.long_share:.0%}"
        f" | {found.flesch:.1f} | {found.longest_line}"
    )


def measure(text: str) -> Readability:
    """Count the prose of a Markdown text."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    kept = [line for line in text.splitlines() if not re.match(r"\s*(\||#|!\[)", line)]
    counted = [words for sentence in sentences("\n".join(kept)) if (words := split(sentence))]
    lengths = [len(words) for words in counted]
    mean_syllables = mean(syllables(word) for words in counted for word in words)
    return Readability(
        n_sentences=len(counted),
        words=mean(lengths),
        long_share=mean(length > 25 for length in lengths),
        flesch=206.835 - 1.015 * mean(lengths) - 84.6 * mean_syllables,
        longest_line=max(map(len, kept)),
    )


def sentences(prose: str) -> list[str]:
    """The sentences of paragraphs and of items of lists."""
    plain = re.sub(r"`[^`\n]*`", "code", prose)
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    blocks = re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.)\s", plain)
    return [
        part
        for block in blocks
        for part in re.split(r"(?<=[.!?:])\s+(?=\W*(?:[A-Z]|code\b))", block)
    ]


def split(sentence: str) -> list[str]:
    """Its words."""
    return re.findall(r"[A-Za-z][A-Za-z'-]*", sentence)


def syllables(word: str) -> int:
    """Groups of vowels, less a silent e; at least one."""
    word = word.lower().removesuffix("'s")
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return 1 if word == "code" else max(1, groups - silent)


if __name__ == "__main__":
    main()
