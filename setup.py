"""Puts the search spaces and data cards into a built wheel; all else stands in setup.cfg.

They lie at the top level of the repository, where people edit them. A `package_dir` mapping would
carry them too, but it breaks editable installs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithYaml(build_py):
    """Copies the YAML files to `tuner/_bundled`, where the package looks without a checkout."""

    def run(self) -> None:
        """Build the package, then add the files."""
        super().run()
        if self.editable_mode:
            return
        for folder in ("search_spaces", "datasets"):
            target = Path(self.build_lib, "tuner", "_bundled", folder)
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path(folder).glob("*.yaml")):
                shutil.copy2(path, target)


setup(cmdclass={"build_py": BuildWithYaml})
