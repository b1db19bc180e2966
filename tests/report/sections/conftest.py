"""What tests of the page's sections share."""

from tests.report.drawn_once import drawn_once

__all__ = ["drawn_once"]
