"""The manifest of last time saves reading; a damaged one costs the reading and nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from dd_livm_core.missions.manifest import FILE_COLUMNS, KEY
from tasks.manifest import read_latest


def test_a_whole_one_is_used(tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    pd.DataFrame({name: ["x"] for name in (*KEY, *FILE_COLUMNS)}).to_parquet(path)
    found = read_latest(path)
    assert found is not None
    assert len(found) == 1
    assert read_latest(tmp_path / "none.parquet") is None


@pytest.mark.parametrize("damage", ["cut", "zeroed", "empty", "of other columns"])
def test_a_damaged_one_is_named_and_not_used(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "manifest.parquet"
    pd.DataFrame({"site_id": ["x"]}).to_parquet(path)
    content = path.read_bytes()
    if damage != "of other columns":
        path.write_bytes({"cut": content[:-9], "zeroed": bytes(len(content)), "empty": b""}[damage])
    assert read_latest(path) is None
    assert str(path) in caplog.text
