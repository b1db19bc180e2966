"""A function of a notebook or script gets a module, which any process can import."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.soak import published
from tuner.api.given_model.module_of import model_name
from tuner.errors import ConfigurationError
from tuner.models import kept_builder
from tuner.models.loaded_code import code_as_imported
from tuner.models.own_builder import load_own
from tuner.models.source import source_digests

SOURCE = """
UNITS = [4, 8]

def layer(hp):
    return hp.get("units") in {"a", "b", "c", 4}, UNITS

class Net:
    kinds = {"x", "y"}
    def __init__(self, size):
        self.size = size
    def build(self, hp):
        return self.size, layer(hp)

def build(hp, scale=1.0):
    import json
    return layer(hp), scale, [one for one in UNITS]
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)


def cell(source: str = SOURCE) -> dict[str, Any]:
    """What a notebook's cell defines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec", dont_inherit=True), names)
    return names


def name_of(folder: Path, source: str = SOURCE, what: str = "build") -> str:
    return str(model_name(cell(source)[what], folder))


def test_what_can_be_imported_keeps_its_name(tmp_path: Path) -> None:
    assert model_name(published.build_lazy, tmp_path) == "tests.soak.published:build_lazy"
    assert model_name("cnn,efficientnet_b2", tmp_path) == "cnn,efficientnet_b2"
    assert model_name(None, tmp_path) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("[4, 8]", "[4, 9]"),
        ('{"a", "b", "c", 4}', '{"a", "b", "d", 4}'),
        ("scale=1.0", "scale=2.0"),
        ("layer(hp), scale", "layer(hp), -scale"),
        ("import json", "import shutil"),
    ],
)
def test_another_function_has_another_name(tmp_path: Path, changed: str, to: str) -> None:
    assert changed in SOURCE
    assert name_of(tmp_path) != name_of(tmp_path, SOURCE.replace(changed, to))


def test_the_same_function_has_the_same_name_wherever_it_stands(tmp_path: Path) -> None:
    again = f"# A remark.\nOTHER = 5\n{SOURCE}"
    assert name_of(tmp_path) == name_of(tmp_path, again)


@pytest.mark.parametrize("what", ["build", "Net"])
def test_the_name_is_the_same_in_every_process(tmp_path: Path, what: str) -> None:
    """Sets have another order in each, and classes get other numbers of cloudpickle."""
    code = f"{SOURCE}\nfrom pathlib import Path\n" + (
        "from tuner.api.given_model.module_of import model_name\n"
        f"print(model_name({what}, Path('builders')))"
    )
    root = Path(tuner.__file__).parents[1]
    names = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True,
            env={"PYTHONPATH": str(root), "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in (1, 2)
    }  # fmt: skip
    assert names == {f"{name_of(tmp_path, what=what)}\n"}


@pytest.mark.parametrize("what", ["instance", "lambda", "closure"])
def test_objects_lambdas_and_inner_functions_come_back(tmp_path: Path, what: str) -> None:
    names = cell(
        f"{SOURCE}\ndef make(n):\n    def inner(hp): return n\n    return inner\n"
        "instance, other = Net(5), Net(6)\n"
    )
    given = {
        "instance": (names["instance"], names["other"]),
        "lambda": (lambda hp: 5, lambda hp: 6),
        "closure": (names["make"](5), names["make"](6)),
    }[what]
    folder = tmp_path / kept_builder.USUAL_FOLDER
    first, second = (str(model_name(one, folder)) for one in given)
    assert first != second
    found = load_own(first)
    assert (found.size if what == "instance" else found(None)) == 5


def test_another_process_finds_it_in_the_usual_folder(tmp_path: Path) -> None:
    name = name_of(tmp_path / kept_builder.USUAL_FOLDER)
    # As a worker begins.
    code = (
        "from tuner.backend import environment\nenvironment.prepare()\n"
        f"from tuner.models.own_builder import load_own\nprint(load_own({name!r}).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(tuner.__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout == "build\n"


def test_what_cannot_be_sent_is_told_with_a_remedy(tmp_path: Path) -> None:
    names = cell("import threading\nLOCK = threading.Lock()\ndef build(hp):\n    LOCK.acquire()\n")
    with pytest.raises(ConfigurationError) as raised:
        model_name(names["build"], tmp_path)
    assert "model: build cannot be sent to another process: TypeError" in raised.value.message
    assert "create that inside of the function" in raised.value.hint
    assert isinstance(names["LOCK"], type(threading.Lock()))
    assert not list(tmp_path.iterdir())


def test_what_builds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="model: int builds no model"):
        model_name(3, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nodes_of_ray_need_a_module(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="which the nodes of Ray do not have"):
        model_name(cell()["build"], tmp_path, "ray")


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_a_damaged_builder_is_named(tmp_path: Path, content: bytes | None) -> None:
    folder = tmp_path / kept_builder.USUAL_FOLDER
    name = name_of(folder, SOURCE.replace("scale", f"scale_{content is None}"))
    path = next(folder.glob("*.pickle"))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"the builder (is missing|cannot be read)"):
        load_own(name)


@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_a_damaged_builder_is_written_anew_by_the_next_call(
    tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / kept_builder.USUAL_FOLDER
    source = SOURCE.replace("scale", f"again_{content is None}")
    name = name_of(folder, source)
    path = next(folder.glob("*.pickle"))
    path.unlink() if content is None else path.write_bytes(content)
    assert name_of(folder, source) == name
    assert load_own(name).__name__ == "build"


def test_a_module_that_was_loaded_by_its_path_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere" / "by_path.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text("SIZE = 5\ndef build(hp):\n    return SIZE\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("by_path", elsewhere)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "by_path", module)
    spec.loader.exec_module(module)
    name = str(model_name(module.build, tmp_path / kept_builder.USUAL_FOLDER))
    assert name.startswith("build_")
    monkeypatch.delitem(sys.modules, "by_path")
    assert load_own(name)(None) == 5


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """A module of yours in the working directory."""
    path = tmp_path / "used_library.py"
    path.write_text("def net(hp):\n    return 1\n", encoding="utf-8")
    yield path
    sys.modules.pop("used_library", None)


@pytest.mark.parametrize(
    "source",
    [
        "import used_library\ndef build(hp):\n    return used_library.net(hp)\n",
        "from used_library import net\ndef build(hp):\n    return net(hp)\n",
        "from used_library import net\ndef build(hp):\n    return {net}\n",
        "def build(hp):\n    import used_library\n    return used_library.net(hp)\n",
    ],
    ids=["module", "function", "in a set", "inside"],
)
def test_a_module_of_yours_that_a_builder_uses_belongs_to_it(
    library: Path, tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / kept_builder.USUAL_FOLDER
    build = cell(source)["build"]
    name = str(model_name(build, folder))
    with code_as_imported(name):
        load_own(name)(None)
    before = source_digests(name)
    assert "used_library.py" in before
    library.write_text("def net(hp):\n    return 22\n", encoding="utf-8")
    again = str(model_name(build, folder))
    assert again != name
    # A command line that names the old one does not resume its run.
    assert source_digests(name) != before
    with (
        pytest.raises(ConfigurationError, match=r"used_library.py was edited after"),
        code_as_imported(again),
    ):
        pass


def test_a_builder_that_a_finished_run_has_imported_is_not_edited_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = tmp_path / kept_builder.USUAL_FOLDER
    source = SOURCE.replace("scale", "loaded_scale")
    name = name_of(folder, source)
    (module,) = folder.glob("*.py")
    os.utime(module, (1_000_000_000, 1_000_000_000))
    # As `FinishedRun.model` does in a new kernel.
    load_own(name)
    assert name_of(folder, source) == name
    with code_as_imported(name):
        pass


def test_a_damaged_module_of_a_builder_is_written_anew(tmp_path: Path) -> None:
    name = name_of(tmp_path)
    (module,) = tmp_path.glob("*.py")
    whole = module.read_bytes()
    module.write_bytes(b"nonsense")
    assert name_of(tmp_path) == name
    assert module.read_bytes() == whole


@pytest.mark.parametrize("module", ["hyphened-net", "package.hyphened-net", "class"])
def test_a_module_that_no_import_statement_takes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / f"{module.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text("def net(hp):\n    return 1\n", encoding="utf-8")
    before = set(sys.modules)
    names = cell("def build(hp):\n    return library.net(hp)\n")
    names["library"] = importlib.import_module(module)
    try:
        with pytest.raises(ConfigurationError, match=f"uses the module {module}, ") as raised:
            model_name(names["build"], tmp_path / "kept")
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
    assert "rename its file" in raised.value.hint
    assert not (tmp_path / "kept").exists()


def test_a_module_that_a_function_imports_from_its_package_belongs_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "used_package"
    package.mkdir()
    for name in ("__init__", "layers", "unused"):
        (package / f"{name}.py").write_text("SIZE = 1\n", encoding="utf-8")
    source = "def build(hp):\n    from used_package import SIZE, layers\n    return layers\n"
    folder = tmp_path / kept_builder.USUAL_FOLDER
    name = name_of(folder, source)
    assert {"used_package/__init__.py", "used_package/layers.py"} < source_digests(name).keys()
    (package / "unused.py").write_text("SIZE = 2\n", encoding="utf-8")
    assert name_of(folder, source) == name
    (package / "layers.py").write_text("SIZE = 2\n", encoding="utf-8")
    assert name_of(folder, source) != name
    sys.modules.pop("used_package", None)


def test_python_path_is_left_alone(tmp_path: Path) -> None:
    before = list(sys.path)
    name_of(tmp_path)
    assert sys.path == before
