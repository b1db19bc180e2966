"""The page of `labels`: the labels that are probably wrong, with pictures."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from tuner.report.html_document import Body, make_environment, render_document
from tuner.store.label_table import DoubtfulLabel

MAX_PAIRS = 10
# Ends the title of each such page.
_TITLE = "likely wrong labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturedLabel:
    """A doubtful label with its image.

    Attributes:
        rank: From 1, the most doubtful; as in the table.
        row: The label.
        source: Data URI of the picture.
    """

    rank: int
    row: DoubtfulLabel
    source: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsPage:
    """What the page is made from.

    Attributes:
        title: Of the data set.
        name: Of its card.
        fingerprint: Of its images and labels.
        model: Title of the model whose recipe was trained.
        class_names: In the order of the class numbers.
        joint: Estimated number of images by given and true label, (classes, classes).
        temperature: That the probabilities were calibrated with.
        epochs: Of each training.
        n_folds: Trainings.
        n: Images that were looked at.
        n_expected: Estimated number of wrong labels.
        accuracy: Share of the images whose label was predicted.
        has_test: Whether test images were looked at.
        n_left_out: Test images without a prediction, since each training saw a copy of them.
        n_earlier: Earlier corrections that stand at the end of the list.
        table: Path of the list.
        rows: All doubtful labels, the most doubtful first.
        pictured: Those of them with pictures.
    """

    title: str
    name: str
    fingerprint: str
    model: str
    class_names: tuple[str, ...]
    joint: tuple[tuple[float, ...], ...]
    temperature: float
    epochs: int
    n_folds: int
    n: int
    n_expected: float
    accuracy: float
    has_test: bool
    n_left_out: int
    n_earlier: int
    table: str
    rows: tuple[DoubtfulLabel, ...]
    pictured: tuple[PicturedLabel, ...]

    def n_listed(self, part: str) -> int:
        """Doubtful labels of a part."""
        return sum(row.part == part for row in self.rows)

    def shown(self, part: str) -> list[PicturedLabel]:
        """Those of a part with pictures."""
        return [one for one in self.pictured if one.row.part == part]

    @property
    def pairs(self) -> list[tuple[str, str, float]]:
        """Given and true label of most images in the joint, with their number, at least one."""
        found = [
            (self.class_names[given], self.class_names[true], n)
            for given, row in enumerate(self.joint)
            for true, n in enumerate(row)
            if given != true and n >= 1
        ]
        return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))[:MAX_PAIRS]


def is_labels_page(html: str) -> bool:
    """Whether a page is one of these."""
    return f"{_TITLE}</title>" in html


def render(page: LabelsPage) -> str:
    """The page.

    Args:
        page: What it shows.

    Returns:
        A complete HTML document, the same bytes for the same content.
    """
    environment = make_environment("tuner.report")

    def body(name: str, heading: str, **more: object) -> Body:
        html = environment.get_template(f"labels/{name}.html").render(page=page, **more)
        return Body(name=more.get("part", name), heading=heading, html=Markup(html))  # type: ignore[arg-type]

    bodies = [
        body("summary", "Summary"),
        body("listed", "Training and validation images", part="train"),
        *([body("listed", "Test images", part="test")] if page.has_test else []),
        body("how", "How this list was made"),
    ]
    return render_document(
        environment,
        title=f"{page.title} – {_TITLE}",
        overline="tuner labels",
        heading=page.title,
        bodies=bodies,
        footer=Markup("Data <bdi>{}</bdi> · fingerprint {}").format(
            page.name, page.fingerprint[:16]
        ),
        styles=[("tuner.report", "labels.css")],
        has_pictures=bool(page.pictured),
    )
