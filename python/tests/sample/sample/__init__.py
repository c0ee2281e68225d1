"""A library in small, with the ways in which real ones spell their defaults."""

from sample import api, settings
from sample.api import public as renamed

__all__ = ["api", "renamed", "settings"]
