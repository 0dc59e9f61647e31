"""Threads wait without spinning, unless the user wants it otherwise."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import flows, sys
assert "torch" not in sys.modules, "OpenMP would have read its settings already"
import os
print(os.environ["OMP_WAIT_POLICY"])
"""


@pytest.mark.parametrize(
    ("given", "used"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")]
)
def test_the_variable_is_set_before_pytorch_is_imported(given: dict[str, str], used: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**clean, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == used
