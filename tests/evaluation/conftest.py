"""What tests of scores share."""

from tests.kept_models import kept_models

__all__ = ["kept_models"]
