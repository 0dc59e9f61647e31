"""The processes of an ingestion start quickly."""

import subprocess
import sys

SLOW = {"matplotlib", "mlflow", "pandas", "prefect", "scipy", "sklearn", "torch"}
"""Packages that take a second or tens of MiB in each process."""


def test_a_process_of_an_ingestion_imports_nothing_slow() -> None:
    code = "import sys, dd_livm_core.missions.pair_intake; print(*{m.split('.')[0] for m in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8"
    )
    assert not SLOW & set(run.stdout.split())
