"""Shared by all tests: where real drone files are, and nothing leaves the machine."""

import os
from pathlib import Path

import pytest

from tasks.telemetry import silence

silence()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real drone files, or skip."""
    folder = os.environ.get("DD_LIVM_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real drone files: set DD_LIVM_REAL_DATA to their folder")
    return Path(folder)
