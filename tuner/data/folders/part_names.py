"""Names of the parts of a split: train, test_set, seg_train, x_val, holdout ..."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from tuner.data.folders.class_order import one_form
from tuner.data.splits.split_rules import Role, Splits

# What a name tells: `evaluation` may be either of the two before it.
NamedRole = Literal["train", "validation", "test", "evaluation"]

_WORDS_OF: Mapping[NamedRole, tuple[str, ...]] = MappingProxyType(
    {
        "train": ("train", "training", "trains", "trn", "trainval", "trainvalid"),
        "validation": (
            "validation", "valid", "validate", "validating", "val", "vali", "dev", "devel",
            "development", "tune", "tuning",
        ),
        "test": ("test", "testing", "tests", "tst", "holdout", "heldout"),
        "evaluation": ("eval", "evaluation", "evaluate"),
    }
)  # fmt: skip
_ROLES: Mapping[str, NamedRole] = MappingProxyType(
    {word: role for role, words in _WORDS_OF.items() for word in words}
)
# Of tables and arrays; folders of these names may be classes, such as languages.
_SHORT: Mapping[str, NamedRole] = MappingProxyType({"tr": "train", "te": "test"})
# What is written beside them.
_FILLERS = frozenset(
    {
        "set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "photo",
        "photos", "pic", "pics", "picture", "pictures", "folder", "dir", "split", "part", "subset",
        "x", "xs", "seg", "out", "the", "my", "new", "final", "full", "all", "sample", "samples",
        "copy", "jpg", "jpeg", "png", "cropped", "resized",
    }
)  # fmt: skip
_WORDS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HELD_OUT = re.compile(r"\b(hold|held) out\b")
# A regular expression of all words, the longest first.
ROLE_WORDS = "|".join(sorted(_ROLES, key=len, reverse=True))
# Words written together, such as trainset or xtrain.
_GLUED = re.compile(
    rf"(?P<before>x|seg|img|image)?(?P<role>{ROLE_WORDS})"
    r"(?P<after>set|data|dataset|images|image|imgs|img|split|out|x)?"
)

# Folders beside parts that are known to be none, such as pictures to try a model on.
_ASIDE = frozenset(
    {
        "unlabeled", "unlabelled", "predict", "prediction", "predictions", "pred", "extra", "unsup",
        "sample", "samples", "example", "examples", "preview", "previews", "doc", "docs", "figure",
        "figures", "assets", "screenshots", "thumbnails", "thumbs",
    }
)  # fmt: skip


# In FER2013 the public test part validates.
FER_SPLITS = Splits(train="Training", validation="PublicTest", test="PrivateTest")


def role_of(name: str) -> NamedRole | None:
    """The role of what is called so in a table or an array.

    None where the name is no part's, or says more.

    The role is `train`, `validation`, `test` or `evaluation`, which `free_role` makes one of the
    last two.
    """
    role, stem = _role_and_stem(name, _SHORT)
    return role if role and not stem else None


def role_within(name: str) -> NamedRole | None:
    """Like `role_of`, for names that hold other words too, such as `mnist_train`."""
    return _role_and_stem(name, _SHORT)[0]


def is_part(name: str) -> bool:
    """Whether a folder, or the beginning of files' names, is called like a part and no more."""
    role, stem = _role_and_stem(name)
    return role is not None and not stem


def _role_and_stem(
    name: str, short: Mapping[str, NamedRole] = MappingProxyType({})
) -> tuple[NamedRole | None, str]:
    """The role that a name tells, and what else is in it; no role where it tells none.

    The role is `train`, `validation`, `test` or `evaluation`, which may be either of the last two.
    """
    words = " ".join(word.casefold() for word in _WORDS.findall(_CAMEL.sub(" ", one_form(name))))
    roles: list[NamedRole] = []
    rest: list[str] = []
    for word in _HELD_OUT.sub(r"\1out", words).split():
        match = _GLUED.fullmatch(word)
        if match or word in short:
            roles.append(_ROLES[match["role"]] if match else short[word])
        elif word not in _FILLERS:
            rest.append(word)
    found = set(roles)
    if found == {"train", "validation"}:  # of both, before validation is cut from it
        return "train", " ".join(rest)
    return (roles[0], " ".join(rest)) if len(found) == 1 else (None, "")


def free_role(role: NamedRole, others: Collection[str]) -> Role:
    """The role itself; but `evaluation` validates beside a test part, and tests elsewhere."""
    if role != "evaluation":
        return role
    return "validation" if "test" in others else "test"


def split_roles(values: Collection[str]) -> Splits | None:
    """Which of the values of a column `Usage` or `split` plays which role.

    Args:
        values: The different values, stripped.

    Returns:
        None where a value is none of the known names, or two of them mean the same part.
    """
    if {value.casefold() for value in values} <= {name.casefold() for name in FER_SPLITS.roles()}:
        return FER_SPLITS
    roles = {
        value: role_of(value) for value in sorted(values, key=lambda text: (text.casefold(), text))
    }
    known = {role for role in roles.values() if role}
    named: dict[str, str] = {}
    for value, found in roles.items():
        if found is None:
            return None
        role = free_role(found, known)
        if named.get(role, value).casefold() != value.casefold():
            return None
        named[role] = value
    return Splits.model_validate(named)


def named_parts(names: Iterable[str]) -> Mapping[str, NamedRole]:
    """The role of each folder that is a part by its name.

    A name with further words counts where others differ from it by the role alone: `flowers_train`
    beside `flowers_test`, but neither `bullet_train` beside `steam_train` nor `blood_test`.
    """
    found = list(names)
    known = {name.casefold(): role for name, role in FER_SPLITS.roles().items()}
    as_fer = {name: known[name.casefold()] for name in found if name.casefold() in known}
    if {"train", "test"} <= set(as_fer.values()):
        return as_fer
    by_stem: dict[str, dict[str, NamedRole]] = defaultdict(dict)
    for name in found:
        role, stem = _role_and_stem(name)
        if role:
            by_stem[stem][name] = role
    return {
        name: role
        for stem, roles in by_stem.items()
        if not stem or ("train" in roles.values() and len(set(roles.values())) > 1)
        for name, role in roles.items()
    }


def is_aside(name: str) -> bool:
    """Whether a folder is called like one that holds images without a class."""
    return bool(_ASIDE & {word.casefold() for word in _WORDS.findall(name)})
