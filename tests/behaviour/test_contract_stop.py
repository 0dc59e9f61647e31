"""Too many broken pairs stop a retraining before training, and both pages show why."""

import json
import shutil
from pathlib import Path

import httpx

from tests.behaviour.surroundings import RETRAIN, Machine


def test_with_too_many_broken_pairs_nothing_is_aligned_or_trained(
    machine: Machine, rendered: Path, tmp_path: Path
) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(rendered, root)
    broken = [
        path
        for mission in sorted((root / "data").glob("*/*/mission.json"))
        for path in sorted((mission.parent / "visible").iterdir())[:3]
    ]
    for path in broken:  # 3 of 10 pairs, where 20 % are allowed
        path.write_bytes(path.read_bytes()[:5000])
    run = machine.dd_livm(root, *RETRAIN)
    assert run.returncode == 2, run.stderr[-4000:]
    assert "30.0 % (9 of 30)" in run.stderr
    assert not (root / ".dd_livm" / "steps" / "align").exists()
    assert not (root / ".dd_livm" / "steps" / "dtft").exists()

    (listed,) = (root / "quarantine").glob("*.json")
    entries = json.loads(listed.read_text())
    assert {(e["site_id"], e["pair_id"]) for e in entries} == {
        (path.parts[-4], path.stem) for path in broken
    }
    assert all(path.stat().st_size == 5000 for path in broken)  # referred to, not moved

    (page,) = (root / ".dd_livm").rglob("data_docs/index.html")
    artifacts = httpx.post(
        f"{machine.environment['PREFECT_API_URL']}/artifacts/latest/filter",
        json={"artifacts": {"key": {"any_": ["data-contract"]}}},
        timeout=30,
    ).json()
    assert any(
        "9 of 30 pairs" in artifact["data"] and str(page) in artifact["data"]
        for artifact in artifacts
    )
