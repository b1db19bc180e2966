"""The words that CONTRIBUTING.md ("Words") forbids, and how prose is checked for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINE = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that prose must not contain, and what to write."""

    pattern: str
    say: str


# Each one is matched without regard to case, in prose alone: no code, no addresses.
RULES = (
    Rule(r"\ba person\b|\bpersons\b", 'say "you", "a user" or "someone"'),
    Rule(r"\bpeople (who|can|may|must|type|read|have)\b|\bfor people\b", 'say "you" or "users"'),
    Rule(r"\bone (types|reads|sees|must)\b", 'say "you"'),
    Rule(r"\bnobody\b", 'say "no one", or name who'),
    Rule(r"\b(hears?|heard|hearing)\b", 'say "receives", "reads" or "is trained on"'),
    Rule(r"\b(knows?|knew|known) (of|about)\b", 'say "accounts for" or "uses"'),
    Rule(r"(?<!you )\b(wants?|wanted|wishes)\b", 'say "needs" or "requires"'),
    Rule(r"\b(hopes?|hoped|feels|angry)\b", "code has no feelings"),
    Rule(r"\b(go|goes|going|went|gone) on\b", 'say "resumes" or "continues"'),
    Rule(r"\bin order\b(?! of)", 'say "valid" or "correct", or "to" alone'),
    Rule(r"\b(anew|afresh)\b", 'say "again", "new" or "from scratch"'),
    Rule(r"\bin (the )?place of\b", 'say "instead of"'),
    Rule(r"\blearnt\b", 'say "pretrained on" or "learned"'),
    Rule(r"\bbears?\b", 'say "has" or "supports"'),
    Rule(r"\btells? of\b|\btold of\b", 'say "reports" or "names"'),
    Rule(r"\bputs? out\b", 'say "outputs" or "returns"'),
    Rule(r"\bbut for\b", 'say "except for"'),
    Rule(r"\bprovided that\b|\bso long as\b", 'say "if"'),
    Rule(r"\b(take|takes|took|taken|taking) (\w+ ){0,2}up again\b", 'say "resumes"'),
    Rule(r"(?<!you )\b(is|are) told\b(?! apart)", 'say "receives", "reads" or "is reported"'),
    Rule(r"\basks? the machine for\b", 'say "needs" or "requires"'),
    Rule(r"\bare held against\b|\bis held against\b", 'say "is compared with"'),
    # Inverted clauses that a pattern can find: a verb before its subject, outside of a question.
    Rule(r"(?:^|[.:;,] )(had|were|should) (it|they|the|a|an|this|these)\b", 'begin with "if"'),
    Rule(r"\bnor (is|are|does|do|has|have|can|may|will)\b", 'say "and ... not either"'),
    Rule(
        r"(?:^|[.:;] )(never|seldom|nowhere|only then|not only) (is|are|does|do|has|have|can)\b",
        "put the subject before the verb",
    ),
)
_COMPILED = tuple(
    (re.compile(rule.pattern, re.IGNORECASE | re.MULTILINE), rule.say) for rule in RULES
)
_CODE = re.compile(r"``.*?``|`[^`\n]*`")
_LINK = re.compile(r"(!?\[[^\]]*\])\([^)\s]*(\s\"[^\"]*\")?\)")
_ADDRESS = re.compile(r"<?https?://\S+")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a line.

    Attributes:
        line: From 1.
        problem: The words and what to write.
    """

    line: int
    problem: str


def without_code(text: str) -> str:
    """The text with code and the targets of links taken out; its lines stay."""
    return _ADDRESS.sub("", _LINK.sub(r"\1", _CODE.sub("CODE", text)))


def find_words(text: str) -> Iterator[Finding]:
    """Every forbidden word of a text, also one that is broken between two lines."""
    lines = without_code(text)
    prose = re.sub(r"(?<=\S)\n(?=[ ]*\S)", " ", lines)
    for pattern, say in _COMPILED:
        for match in pattern.finditer(prose):
            number = lines.count("\n", 0, match.start()) + 1
            yield Finding(number, f'"{match[0].strip(" .:;,")}": {say}')
