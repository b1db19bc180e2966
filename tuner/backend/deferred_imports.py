"""Modules that a framework imports for what trainings here do not use: loaded when first used.

Keras imports scikit-learn for its wrappers, Matplotlib for its galleries and, where there is one,
JAX for TensorFlow Lite and Orbax' checkpoints; Keras Tuner imports scikit-learn and SciPy's
optimizers for its Gaussian process. That is a third of the start of every process that trains.
`importlib.util.LazyLoader` is of no use here: its modules load as soon as a second module imports
them, too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType

# Nothing of these is used by the modules that import them while they are imported themselves.
_DEFERRED = (
    r"keras\.wrappers",
    r"keras\.(src\.)?callbacks",
    r"keras\.(src\.)?visualization",
    r"tensorflow\._api\..+\.lite",
    r"scipy\.optimize",
    r"sklearn(\.(exceptions|gaussian_process|model_selection|pipeline))?",
)


def defer_imports(names: Sequence[str] = _DEFERRED) -> None:
    """Let modules of these names be loaded at their first use, from now on.

    Args:
        names: Regular expressions of whole dotted names.
    """
    if not any(isinstance(finder, DeferringFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, DeferringFinder(re.compile("|".join(names))))


class _DeferredModule(ModuleType):
    """A module that runs its code when something in it is first asked for.

    What the import system and `inspect` look at is there from the start and loads nothing.
    """

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name.endswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        _load(self)
        return ModuleType.__getattribute__(self, name)


class DeferringFinder(MetaPathFinder):
    """Finds modules that are to be deferred; leaves all others to the finders after it."""

    def __init__(self, deferred: re.Pattern[str]) -> None:
        self._deferred = deferred

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module that is to be deferred; None leaves it to the other finders."""
        if not self._deferred.fullmatch(fullname):
            # A part of a package that is still deferred relies on what the package does first.
            _load(sys.modules.get(fullname.rpartition(".")[0]))
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _DeferringLoader(spec.loader)
        return spec


class _DeferringLoader(Loader):
    """Makes an empty module, and keeps the loader that fills it."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.lock = RLock()
        self.is_loading = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module that is still to be loaded."""
        return _DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing yet."""


def _load(module: ModuleType | None) -> None:
    """Run the code of a module that is still deferred, after its package's.

    Raises:
        Exception: What the code raises; the next use tries again.
    """
    spec = getattr(module, "__spec__", None)
    if module is None or spec is None or not isinstance(spec.loader, _DeferringLoader):
        return
    deferring = spec.loader
    _load(sys.modules.get(module.__name__.rpartition(".")[0]))
    with deferring.lock:
        # The package, or another thread, may have loaded it in between.
        if deferring.is_loading or spec.loader is not deferring:
            return
        deferring.is_loading = True
        top, name = sys.modules.get(module.__name__.partition(".")[0]), spec.name.rpartition(".")[2]
        public = vars(top).get(name) if top else None
        try:
            deferring.loader.exec_module(module)
        finally:
            deferring.is_loading = False
            # `tf.lite` is one module; importing from the folder tensorflow/lite binds another one.
            if top and public:
                setattr(top, name, public)
        spec.loader = module.__loader__ = deferring.loader
        module.__class__ = ModuleType
