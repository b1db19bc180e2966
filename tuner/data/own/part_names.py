"""Names of folders that are parts of a split: train, test_set, seg_train, x_val, Training (1), holdout ..."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from tuner.data.class_order import one_form

_ROLES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("train", "training", "trains", "trn", "trainval", "trainvalid"), "train")
    | dict.fromkeys(("validation", "valid", "validate", "validating", "val", "vali", "dev", "devel"), "validation")
    | dict.fromkeys(("development", "tune", "tuning"), "validation")
    | dict.fromkeys(("test", "testing", "tests", "tst", "holdout", "heldout", "hold", "held"), "test")
    | dict.fromkeys(("eval", "evaluation", "evaluate"), "evaluation")
)
# What people write beside them.
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
# Words written together, such as trainset or xtrain; the longest first.
_GLUED = re.compile(
    rf"(?P<before>x|seg|img|image)?(?P<role>{'|'.join(sorted(_ROLES, key=len, reverse=True))})"
    r"(?P<after>set|data|dataset|images|image|imgs|img|split|out|x)?"
)

# Folders beside parts that are known to be none, such as pictures to try a model on.
_ASIDE = frozenset(
    {
        "unlabeled", "unlabelled", "predict", "prediction", "predictions", "pred", "extra", "unsup", "sample",
        "samples", "example", "examples", "preview", "previews", "doc", "docs", "figure", "figures", "assets",
        "screenshots",
        "thumbnails", "thumbs",
    }
)  # fmt: skip


def role_and_stem(name: str) -> tuple[str, str]:
    """The role that a folder's name tells, and what else is in the name; no role where the name tells none.

    The role is `train`, `validation`, `test` or `evaluation`, which may be either of the last two.
    """
    words = [word.casefold() for word in _WORDS.findall(_CAMEL.sub(" ", one_form(name)))]
    roles: list[str] = []
    rest: list[str] = []
    for word in words:
        match = _GLUED.fullmatch(word)
        if match:
            roles.append(_ROLES[match["role"]])
        elif word not in _FILLERS:
            rest.append(word)
    found = set(roles)
    if found == {"train", "validation"}:  # of both, before validation is cut from it
        return "train", " ".join(rest)
    return (roles[0], " ".join(rest)) if len(found) == 1 else ("", "")


def named_parts(names: Iterable[str]) -> dict[str, str]:
    """The role of each folder that is a part by its name.

    A name with further words counts where others differ from it by the role alone: `flowers_train` beside
    `flowers_test`, but neither `bullet_train` beside `steam_train` nor `blood_test`.
    """
    by_stem: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        role, stem = role_and_stem(name)
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
