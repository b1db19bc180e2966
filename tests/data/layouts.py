"""Common layouts of downloaded image sets, and what each is read as."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a layout becomes.

    Attributes:
        classes: In their order.
        parts: Images of each role; one without a name where no part is given.
        left_out: Files of each reason.
    """

    classes: tuple[str, ...]
    parts: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)


# `cat/*.png 3` stands for cat/0.png, cat/1.png and cat/2.png; a text file has no star.
Layout = Sequence[str]

NO_IMAGES = "not images"
NO_CLASS = "in no class folder"
NO_PART = "in a folder that is not a part of the split"
SYSTEM = "hidden or made by the system"

COMMON: dict[str, tuple[Layout, Read | str]] = {
    "ImageFolder": (["cat/*.png 3", "dog/*.png 3"], Read(classes=("cat", "dog"), parts={"": 6})),
    "Keras flower_photos": (
        ["flower_photos/daisy/*.jpg 3", "flower_photos/roses/*.jpg 2", "flower_photos/LICENSE.txt"],
        Read(classes=("daisy", "roses"), parts={"": 5}, left_out={NO_IMAGES: 1}),
    ),
    "Keras cats_and_dogs_filtered": (
        [
            "cats_and_dogs_filtered/train/cats/cat.*.jpg 3",
            "cats_and_dogs_filtered/train/dogs/dog.*.jpg 3",
            "cats_and_dogs_filtered/validation/cats/cat.*.jpg 2",
            "cats_and_dogs_filtered/validation/dogs/dog.*.jpg 2",
            "cats_and_dogs_filtered/vectorize.py",
        ],
        Read(classes=("cats", "dogs"), parts={"train": 6, "validation": 4},
             left_out={NO_IMAGES: 1}),
    ),
    "Kaggle PetImages": (
        [
            "PetImages/Cat/*.jpg 3", "PetImages/Cat/Thumbs.db", "PetImages/Dog/*.jpg 3",
            "PetImages/Dog/Thumbs.db",
            "readme[1].txt", "MSR-LA - 3467.docx",
        ],
        Read(classes=("Cat", "Dog"), parts={"": 6}, left_out={SYSTEM: 2, NO_IMAGES: 2}),
    ),
    "Kaggle dogs-vs-cats, unpacked": (
        ["train/cat.*.jpg 3", "train/dog.*.jpg 3", "test1/*.jpg 4", "sampleSubmission.csv"],
        Read(classes=("cat", "dog"), parts={"": 6}, left_out={NO_CLASS: 4, NO_IMAGES: 1}),
    ),
    "Kaggle Intel scenes": (
        [
            "seg_train/seg_train/buildings/*.jpg 3", "seg_train/seg_train/sea/*.jpg 3",
            "seg_test/seg_test/buildings/*.jpg 2", "seg_test/seg_test/sea/*.jpg 2",
            "seg_pred/seg_pred/*.jpg 5",
        ],
        Read(classes=("buildings", "sea"), parts={"train": 6, "test": 4}, left_out={NO_CLASS: 5}),
    ),
    "Kaggle chest_xray": (
        [
            "chest_xray/train/NORMAL/*.jpeg 3", "chest_xray/train/PNEUMONIA/*.jpeg 3",
            "chest_xray/val/NORMAL/*.jpeg 1", "chest_xray/val/PNEUMONIA/*.jpeg 1",
            "chest_xray/test/NORMAL/*.jpeg 2", "chest_xray/test/PNEUMONIA/*.jpeg 2",
            "chest_xray/chest_xray/train/NORMAL/*.jpeg 3",
            "chest_xray/chest_xray/test/NORMAL/*.jpeg 3",
            "chest_xray/__MACOSX/._x.jpeg",
        ],
        Read(
            classes=("NORMAL", "PNEUMONIA"),
            parts={"train": 6, "validation": 2, "test": 4},
            left_out={NO_PART: 6, SYSTEM: 1},
        ),
    ),
    "Kaggle fer2013 folders": (
        ["train/angry/*.jpg 3", "train/happy/*.jpg 3", "test/angry/*.jpg 2", "test/happy/*.jpg 2"],
        Read(classes=("angry", "happy"), parts={"train": 6, "test": 4}),
    ),
    "Kaggle ASL alphabet": (
        [
            "asl_alphabet_train/asl_alphabet_train/A/*.jpg 3",
            "asl_alphabet_train/asl_alphabet_train/B/*.jpg 3",
            "asl_alphabet_test/asl_alphabet_test/A_test.jpg",
            "asl_alphabet_test/asl_alphabet_test/B_test.jpg",
        ],
        Read(classes=("A", "B"), parts={"": 6}, left_out={NO_CLASS: 2}),
    ),
    "Udemy cats and dogs": (
        [
            "dataset/training_set/cats/cat.*.jpg 3", "dataset/training_set/dogs/dog.*.jpg 3",
            "dataset/test_set/cats/cat.*.jpg 2", "dataset/test_set/dogs/dog.*.jpg 2",
            "dataset/single_prediction/cat_or_dog_*.jpg 2",
        ],
        Read(classes=("cats", "dogs"), parts={"train": 6, "test": 4}, left_out={NO_CLASS: 2}),
    ),
    "Caltech 101": (
        [
            "caltech-101/101_ObjectCategories/BACKGROUND_Google/image_*.jpg 2",
            "caltech-101/101_ObjectCategories/ant/image_*.jpg 3",
            "caltech-101/Annotations/ant/annotation_0001.mat",
        ],
        Read(classes=("BACKGROUND_Google", "ant"), parts={"": 5}, left_out={NO_IMAGES: 1}),
    ),
    "Roboflow, folders": (
        [
            "train/cat/*.jpg 3", "train/dog/*.jpg 3", "valid/cat/*.jpg 2", "valid/dog/*.jpg 2",
            "test/cat/*.jpg 1",
            "test/dog/*.jpg 1", "README.dataset.txt", "README.roboflow.txt",
        ],
        Read(classes=("cat", "dog"), parts={"train": 6, "validation": 4, "test": 2},
             left_out={NO_IMAGES: 2}),
    ),
    "Roboflow, _classes.csv": (
        ["train/a_jpg.rf.x*.jpg 3", "train/_classes.csv", "valid/b_jpg.rf.x*.jpg 3",
         "valid/_classes.csv"],
        "the images of train/ and valid/ lie in no class folders, and names such as "
        "b_jpg.rf.x0.jpg tell no classes",
    ),
    "YOLO": (
        [
            "train/images/im*.jpg 3", "train/labels/im0.txt", "valid/images/im*.jpg 3",
            "valid/labels/im0.txt",
            "data.yaml",
        ],
        "the images of train/ and valid/ lie in no class folders, and names such as im0.jpg tell "
        "no classes",
    ),
    "Pascal VOC": (
        [
            "VOC2007/JPEGImages/00*.jpg 3", "VOC2007/Annotations/000.xml",
            "VOC2007/SegmentationClass/00*.png 2",
            "VOC2007/ImageSets/Main/train.txt",
        ],
        "VOC2007/JPEGImages/ lies beside annotations, as for detection or segmentation; nothing"
        " states one class for each image",
    ),
    "Oxford pets": (
        [
            "images/Abyssinian_*.jpg 3", "images/american_bulldog_*.jpg 3",
            "images/Abyssinian_100.mat",
            "annotations/trimaps/Abyssinian_*.png 3", "annotations/list.txt",
        ],
        Read(classes=("Abyssinian", "american_bulldog"), parts={"": 6},
             left_out={NO_CLASS: 4, NO_IMAGES: 1}),
    ),
    "MNIST as PNG": (
        [f"mnist_png/{part}/{digit}/*.png 2"
         for part in ("training", "testing") for digit in range(11)],
        Read(classes=tuple(map(str, range(11))), parts={"train": 22, "test": 22}),
    ),
    "Emoji, zipped on a Mac": (
        ["happy-or-sad/happy/happy1-*.png 3", "happy-or-sad/sad/sad1-*.png 3",
         "__MACOSX/happy-or-sad/._happy",
         "happy-or-sad/.DS_Store"],
        Read(classes=("happy", "sad"), parts={"": 6}, left_out={SYSTEM: 2}),
    ),
    "Tiny ImageNet": (
        [
            "tiny-imagenet-200/train/n01/images/n01_*.JPEG 3",
            "tiny-imagenet-200/train/n01/n01_boxes.txt",
            "tiny-imagenet-200/train/n02/images/n02_*.JPEG 3",
            "tiny-imagenet-200/train/n02/n02_boxes.txt",
            "tiny-imagenet-200/val/images/val_*.JPEG 4",
            "tiny-imagenet-200/val/val_annotations.txt",
            "tiny-imagenet-200/test/images/test_*.JPEG 4", "tiny-imagenet-200/wnids.txt",
            "tiny-imagenet-200/words.txt",
        ],
        Read(classes=("n01", "n02"), parts={"": 6}, left_out={NO_CLASS: 9, NO_IMAGES: 4}),
    ),
    "Keras Synology share": (
        ["cat/*.jpg 3", "cat/@eaDir/*.jpg/SYNO_THUMB_M.jpg 1", "dog/*.jpg 3", "dog/desktop.ini"],
        Read(classes=("cat", "dog"), parts={"": 6}, left_out={SYSTEM: 2}),
    ),
}  # fmt: skip


@functools.cache
def picture(seed: int) -> bytes:
    """A PNG of noise, 8 x 8."""
    noise = np.random.default_rng(seed).integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="PNG")
    return buffer.getvalue()


def write(root: Path, layout: Layout) -> int:
    """Write the files of a layout, images with different pixels; how many there are."""
    n_files = 0
    for pattern in layout:
        path, _, count = pattern.rpartition(" ") if "*" in pattern else (pattern, "", "1")
        for i in range(int(count)):
            file = root / path.replace("*", str(i))
            file.parent.mkdir(parents=True, exist_ok=True)
            is_text = file.suffix.lower() not in {".png", ".jpg", ".jpeg"}
            file.write_bytes(b"some text" if is_text else picture(n_files))
            n_files += 1
    return n_files
