"""YAML that tuner has written for itself: no names of types, no references, within bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tuner.store.files.reading import read_whole


class _Loader(yaml.SafeLoader):
    """Refuses references: ten lines of them make a document of any size; our files have none."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """PyYAML's hook for every node."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("it refers to other parts of itself")
        return super().compose_node(parent, index)


class _PlainDumper(yaml.SafeDumper):
    """Writes equal parts out, instead of referring from one to the other."""

    def ignore_aliases(self, data: Any) -> bool:
        """PyYAML's question whether a part may be written out again."""
        return True


def plain_yaml(value: Any) -> str:
    """Plain values as YAML."""
    return yaml.dump(value, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)


def read_plain_yaml(path: Path, most_bytes: int) -> Any:
    """What `plain_yaml` made.

    Raises:
        OSError: If the file is not there, or cannot be read.
        ValueError: If it is no such YAML, is nested too deeply, or is larger than that.
    """
    try:
        return yaml.load(read_whole(path, most_bytes).decode("utf-8-sig"), Loader=_Loader)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, OverflowError) as error:
        # PyYAML's constructors raise all of these for values that are not what they look like.
        raise ValueError(str(error)) from error
