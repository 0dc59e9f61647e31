"""Retrainings keep what their data held, and can be compared when ``data/`` is gone."""

import shutil
from pathlib import Path

from mlflow.tracking import MlflowClient

from tests.behaviour.surroundings import Machine, Trained


def test_a_retraining_is_compared_from_what_it_kept(
    machine: Machine, trained: Trained, tmp_path: Path
) -> None:
    store = MlflowClient(f"sqlite:///{trained.root}/mlruns/mlflow.db")
    experiment = store.get_experiment_by_name("dd-livm")
    assert experiment is not None
    runs = store.search_runs([experiment.experiment_id], "tags.`dd_livm.run_key` != ''")
    run_id = runs[-1].info.run_id
    kept = {artifact.path for artifact in store.list_artifacts(run_id, "data")}
    assert kept == {"data/manifest.parquet", "data/sites.json"}
    assert {a.path for a in store.list_artifacts(run_id, "data_docs")} == {"data_docs/index.html"}

    data = trained.root / "data"
    shutil.move(data, tmp_path / "moved_on")
    try:
        run = machine.dd_livm(trained.root, "data", "diff", run_id, run_id)
    finally:
        shutil.move(tmp_path / "moved_on", data)
    assert run.returncode == 0, run.stderr[-4000:]
    assert "pairs, labels, missions and sites are the same" in run.stdout
