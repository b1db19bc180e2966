"""What the folders of images mean: classes, parts, or folders around them.

Pure: a tree in, a layout out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuner.data.folders.class_files import LayoutKind
from tuner.data.folders.class_order import one_form
from tuner.data.folders.file_names import are_clear, class_of
from tuner.data.folders.part_names import NamedRole, free_role, is_aside, named_parts
from tuner.data.folders.tree import Folder
from tuner.data.own.refusals import Refusals
from tuner.data.splits.split_rules import Role

# Of alike folders above one another, what both must hold.
_LEAST_SHARED = 2
# Folders of images beside folders that say something else about them.
_PICTURES = frozenset(
    {"images", "image", "imgs", "img", "jpegimages", "photos", "pictures", "data", "dataset"}
)
_BESIDE_PICTURES = frozenset(
    {
        "annotations", "annotation", "labels", "label", "bboxes", "boxes", "xml", "xmls",
        "imagesets", "masks", "mask", "segmentationclass", "segmentationobject", "trimaps",
        "segmentations",
    }
)  # fmt: skip
# The only names of parts that are classes as well, such as a train beside a bus.
_CLASSES_TOO = frozenset({"train", "trains", "valid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLayout:
    """How a folder of images is arranged.

    Attributes:
        top: Path of the folder that holds the classes or parts; empty for the given one.
        kind: None for a folder per class; or as a card's `layout`.
        parts: Path below the top of each part, by its role.
    """

    top: str = ""
    kind: LayoutKind | None = None
    parts: Mapping[Role, str] = field(default_factory=dict)


def understand(tree: Folder, where: str) -> FolderLayout:
    """Find the classes and parts.

    Args:
        tree: The folder that was given.
        where: What it is called, for messages.

    Raises:
        DataError: If the layout is not clear, with what was seen.
    """
    refuse = Refusals(tree=tree, where=where)
    level = tree
    while True:
        inside = level.with_images()
        if are_clear(level.images) and len(inside) < 2:
            return FolderLayout(top=_path(level), kind="file_names")
        if not inside:
            raise refuse.no_class_folders(level)
        around = _around(inside)
        if around is None:
            break
        level = around
    if len(inside) == 1 and are_clear(inside[0].images):
        return FolderLayout(top=_path(inside[0]), kind="file_names")
    if len(inside) == 1:
        raise refuse.one_class(level, inside[0])
    roles = named_parts(folder.name for folder in inside)
    if roles:
        parted = _parts(level, inside, roles, refuse)
        if parted is not None:
            return parted
    elif pictures := _pictures_beside_annotations(level, inside):
        return _of_pictures(pictures, refuse)
    return _classes(level, inside, refuse)


def _around(inside: Sequence[Folder]) -> Folder | None:
    """The folder around everything else, perhaps beside samples; None where there is none."""
    with_folders = [folder for folder in inside if folder.with_images()]
    others = [folder for folder in inside if folder not in with_folders]
    if len(with_folders) != 1 or not all(is_aside(folder.name) for folder in others):
        return None
    return with_folders[0] if not others or len(with_folders[0].with_images()) > 1 else None


def _parts(
    level: Folder, inside: Sequence[Folder], roles: Mapping[str, NamedRole], refuse: Refusals
) -> FolderLayout | None:
    """The layout of folders some of which are called like parts; None where those are classes."""
    parts = [folder for folder in inside if folder.name in roles]
    others = [folder for folder in inside if folder.name not in roles]
    entered = {folder.name: _entered(folder) for folder in parts}
    trains = [folder for folder in parts if roles[folder.name] == "train"]
    with_classes = [folder for folder in trains if entered[folder.name].with_images()]
    if not with_classes:
        if (
            len(parts) == 1
            and parts[0].name.casefold() in _CLASSES_TOO
            and others
            and not parts[0].with_images()
        ):
            return None
        return _flat_parts(level, parts, others, roles, entered, refuse)
    if len(with_classes) > 1:
        raise refuse.several_trains(with_classes)
    train = with_classes[0]
    known = _names(entered[train.name].with_images())
    held = [folder for folder in parts if folder not in trains]
    usable = [folder for folder in held if _is_labelled(entered[folder.name], known)]
    unclear = [folder for folder in others if not is_aside(folder.name)]
    mixed = [folder for folder in others if _key(folder.name) in known]
    alike = [folder for folder in unclear if _is_labelled(_entered(folder), known)]
    if mixed or (alike and not usable) or (unclear and not held):
        raise refuse.beside_train(train, mixed or alike or unclear)
    chosen = _chosen(usable, roles)
    if not chosen:
        return FolderLayout(top=_path(entered[train.name]))
    paths = {
        role: _below(entered[folder.name], level)
        for role, folder in {"train": train, **chosen}.items()
    }
    return FolderLayout(top=_path(level), parts=paths)


def _flat_parts(
    level: Folder,
    parts: Sequence[Folder],
    others: Sequence[Folder],
    roles: Mapping[str, NamedRole],
    entered: Mapping[str, Folder],
    refuse: Refusals,
) -> FolderLayout:
    """Parts none of which trains with class folders: perhaps names of files tell the classes."""
    train = next((folder for folder in parts if roles[folder.name] == "train"), None)
    if train is None:
        raise refuse.no_train(parts, others)
    names = entered[train.name].images
    if not are_clear(names):
        raise refuse.unlabelled_parts(parts, others)
    classes = set(map(class_of, names))
    usable = [
        folder
        for folder in parts
        if roles[folder.name] != "train"
        and {class_of(name) for name in entered[folder.name].images} <= classes
        and entered[folder.name].images
    ]
    chosen = _chosen(usable, roles)
    if not chosen:
        return FolderLayout(top=_path(entered[train.name]), kind="file_names")
    paths = {
        role: _below(entered[folder.name], level)
        for role, folder in {"train": train, **chosen}.items()
    }
    return FolderLayout(top=_path(level), kind="file_names", parts=paths)


def _chosen(usable: Sequence[Folder], roles: Mapping[str, NamedRole]) -> dict[Role, Folder]:
    """The folder of each role but training; what is called `eval` takes the role that is free."""
    chosen: dict[Role, Folder] = {}
    # The plainest name of a role comes first: test before test_extra, test1 before test2.
    for folder in sorted(usable, key=lambda folder: (len(folder.name), folder.name)):
        role = roles[folder.name]
        if role != "evaluation":
            chosen.setdefault(role, folder)
    for folder in usable:
        if roles[folder.name] == "evaluation":
            chosen.setdefault(free_role("evaluation", chosen), folder)
    return chosen


def _classes(level: Folder, inside: Sequence[Folder], refuse: Refusals) -> FolderLayout:
    """Class folders, unless what is in them says that they are something else."""
    if parts := _parts_in_classes(inside, refuse):
        return FolderLayout(top=_path(level), kind="parts_in_classes", parts=parts)
    within = {folder.name: _entered(folder).with_images() for folder in inside}
    for folder in inside:
        if (
            len(_names(within[folder.name]) & (_names(inside) - {_key(folder.name)}))
            >= _LEAST_SHARED
        ):
            raise refuse.again(folder, [other for other in inside if other is not folder])
    # A stray image or two beside the folders changes nothing.
    structured = [folder for folder in inside if 2 * len(folder.images) < folder.n_images]
    alike = _alike([_entered(folder) for folder in structured if len(within[folder.name]) > 1])
    if alike and _names(alike[0].with_images()) <= _PICTURES | _BESIDE_PICTURES:
        raise refuse.masks(alike[0])
    if alike:
        raise refuse.alike(alike)
    around = [
        folder
        for folder in inside
        if _key(folder.name) in _PICTURES and len(within[folder.name]) > 1
    ]
    if around:
        raise refuse.beside_pictures(
            around[0], [folder for folder in inside if folder is not around[0]]
        )
    return FolderLayout(top=_path(level))


def _parts_in_classes(inside: Sequence[Folder], refuse: Refusals) -> dict[Role, str]:
    """The parts that class folders hold, by their role: cat/train, cat/test, dog/train ..."""
    roles: dict[str, NamedRole] = {}
    for folder in inside:
        roles |= named_parts(below.name for below in folder.with_images())
    has_train = [
        any(roles.get(below.name) == "train" for below in folder.with_images()) for folder in inside
    ]
    if not any(has_train) or len(set(roles.values())) < 2:
        return {}
    if not all(has_train):
        raise refuse.parts_in_some(inside[has_train.index(True)], inside[has_train.index(False)])
    whole = _alike(
        [
            below
            for folder in inside
            for below in folder.with_images()
            if roles.get(below.name) == "train"
        ]
    )
    if whole:
        raise refuse.whole_sets(inside)
    chosen: dict[Role, str] = {}
    for name in sorted(roles, key=lambda name: (len(name), name)):
        role = free_role(roles[name], roles.values())
        if role in chosen:
            raise refuse.two_names(role, chosen[role], name)
        chosen[role] = name
    return chosen


def _alike(structured: Sequence[Folder]) -> list[Folder]:
    """Folders that hold the same sub-folders as another one."""
    names = [_names(folder.with_images()) for folder in structured]
    found = []
    for i, folder in enumerate(structured):
        for j, other in enumerate(names):
            n_shared = len(names[i] & other)
            if (
                i != j
                and n_shared >= _LEAST_SHARED
                and 2 * n_shared >= min(len(names[i]), len(other))
            ):
                found.append(folder)
                break
    return found


def _pictures_beside_annotations(level: Folder, inside: Sequence[Folder]) -> Folder | None:
    """The folder of images of a layout made for finding or cutting out objects."""
    if not any(_key(folder.name) in _BESIDE_PICTURES for folder in level.folders):
        return None
    return next((folder for folder in inside if _key(folder.name) in _PICTURES), None)


def _of_pictures(pictures: Folder, refuse: Refusals) -> FolderLayout:
    if are_clear(pictures.images):
        return FolderLayout(top=_path(pictures), kind="file_names")
    if len(pictures.with_images()) > 1 and not named_parts(
        folder.name for folder in pictures.folders
    ):
        return FolderLayout(top=_path(pictures))
    raise refuse.annotations(pictures)


def _entered(folder: Folder) -> Folder:
    """Go down as long as there is one folder, and it holds folders or is called like no class."""
    inside = folder.with_images()
    while len(inside) == 1 and (len(inside[0].with_images()) > 1 or _is_repeated(folder, inside)):
        folder = inside[0]
        inside = folder.with_images()
    return folder


def _is_repeated(folder: Folder, inside: Sequence[Folder]) -> bool:
    """Whether the folder inside is called like the one around it, or like one of images."""
    return _key(inside[0].name) in {_key(folder.name), *_PICTURES}


def _is_labelled(folder: Folder, known: frozenset[str]) -> bool:
    """Whether a part holds class folders: some of the training part's, or several of its own."""
    names = _names(folder.with_images())
    return bool(names & known) or len(names) > 1


def _names(folders: Sequence[Folder]) -> frozenset[str]:
    return frozenset(_key(folder.name) for folder in folders)


def _key(name: str) -> str:
    return one_form(name).casefold().strip()


def _path(folder: Folder) -> str:
    return folder.below.rstrip("/")


def _below(folder: Folder, level: Folder) -> str:
    return folder.below[len(level.below) :].rstrip("/")
