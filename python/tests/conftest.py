"""The sample library is importable, and its root is at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent / "sample"
sys.path.insert(0, str(ROOT))


@pytest.fixture
def root() -> Path:
    """The folder that contains the package `sample`."""
    return ROOT
