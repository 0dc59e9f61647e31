"""The main job end to end, with every real component: what it leaves, reuses, resumes and refuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from tests.behaviour.surroundings import RETRAIN, Machine, Trained, wait_until

ROOT = Path(__file__).parents[2]
HEADLINES = ("detection_accuracy", "located_and_typed", "type_accuracy", "map50")


def open_store(root: Path) -> MlflowClient:
    """Return a client of a workspace's MLflow store."""
    return MlflowClient(f"sqlite:///{root}/mlruns/mlflow.db")


def list_parents(root: Path) -> list:  # type: ignore[type-arg]
    """Return the runs of retrainings, newest first."""
    experiment = open_store(root).get_experiment_by_name("dd-livm").experiment_id
    return open_store(root).search_runs(
        [experiment], "tags.`dd_livm.run_key` != ''", order_by=["attributes.start_time DESC"]
    )


def read_files(folder: Path) -> dict[str, bytes]:
    """Return path → bytes of all files in a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def read_registered_weights(root: Path) -> bytes:
    """Return the registered weights, which every retraining of one configuration shares."""
    registered = {p.read_bytes() for p in (root / "mlruns" / "artifacts").rglob("*.safetensors")}
    assert len(registered) == 1
    return registered.pop()


def test_the_champion_predicts_in_a_fresh_process(trained: Trained) -> None:
    program = f"""
import mlflow, pandas as pd
from pathlib import Path
mlflow.set_tracking_uri("sqlite:///{trained.root}/mlruns/mlflow.db")
model = mlflow.pyfunc.load_model("models:/dd-livm@champion")
mission = next(Path("{trained.root}/data").glob("*/*/mission.json")).parent
infrared = sorted((mission / "infrared").iterdir())[:3]
visible = sorted((mission / "visible").iterdir())[:3]
pairs = pd.DataFrame({{"infrared": [p.read_bytes() for p in infrared], "visible": [p.read_bytes() for p in visible]}})
found = model.predict(pairs)
assert {{"pair", "x_px", "defect_class", "confidence"}} <= set(found.columns), found
model.unwrap_python_model().detector.threshold = -1.0  # every candidate, so that there are some
pairs.loc[2, "visible"] = None
alone = model.predict(pairs).query("pair == 2")
assert set(alone.defect_class) == {{"unknown"}}, alone
assert set(alone.alignment) == {{"infrared_only"}}, alone
assert set(model.predict(pairs[["infrared"]]).defect_class) == {{"unknown"}}
assert model.metadata.signature is not None and model.input_example is not None
print("predicted", len(found))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "predicted" in run.stdout, run.stderr[-4000:]


def test_the_parent_run_shows_every_site_and_its_children_the_curves(trained: Trained) -> None:
    parent = list_parents(trained.root)[-1]
    sites = sorted(p.parent.parent.name for p in (trained.root / "data").glob("*/*/mission.json"))
    for site in sites:
        for name in HEADLINES:
            assert 0 <= parent.data.metrics[f"site/{site}/{name}"] <= 100
    assert "unseen/mean_detection_accuracy" in parent.data.metrics
    assert "## Sites, percent" in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["dd_livm.data_snapshot"].endswith(".dir")
    (data,) = (given.dataset for given in parent.inputs.dataset_inputs)
    assert parent.data.tags["dd_livm.data_snapshot"] == f"{data.digest}.dir"
    assert parent.data.params["training.epochs_stage_2"] == "3"
    store = open_store(trained.root)
    children = store.search_runs(
        [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    assert {child.info.run_name for child in children} == {"stage_1", "stage_2", "stage_3"}
    for child in children:
        epochs = int(child.data.params[f"epochs_{child.info.run_name}"])
        assert len(store.get_metric_history(child.info.run_id, "loss")) == epochs
    kept = {artifact.path for artifact in store.list_artifacts(parent.info.run_id)}
    assert {
        "data.dvc",
        "sites.png",
        "report.md",
        "configuration.json",
        "data_docs",
        "pictures",
    } <= kept


def test_the_terminal_shows_progress_and_the_report_and_no_page(trained: Trained) -> None:
    assert "DTFT stage 2, epochs: 3 of 3" in trained.output
    assert "## Sites, percent" in trained.output
    assert "<" + "html" not in trained.output


def test_nothing_registered_is_pickled(trained: Trained) -> None:
    kinds = {p.suffix for p in (trained.root / "mlruns" / "artifacts").rglob("*") if p.is_file()}
    assert not kinds & {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}


def read_results(root: Path) -> dict[str, bytes]:
    """Return path → bytes of all results of steps, but for the champion's weights fetched for comparison."""
    found = read_files(root / ".dd_livm" / "steps")
    return {name: content for name, content in found.items() if not name.startswith("registered/")}


def test_a_second_run_reuses_every_cached_step(machine: Machine, trained: Trained) -> None:
    before = read_results(trained.root)
    runs = len(list_parents(trained.root))
    run = machine.dd_livm(trained.root, *RETRAIN)
    assert run.returncode == 0, run.stderr[-4000:]
    assert read_results(trained.root) == before
    states = (run.stdout + run.stderr).count("Cached(type=COMPLETED)")
    assert states >= 1 + 3 + 3 + 1 + 3  # validate, align x 3, stages, operating point, sites x 3
    assert len(list_parents(trained.root)) == runs + 1


def test_the_snapshot_is_restored_byte_for_byte(machine: Machine, trained: Trained) -> None:
    run_id = list_parents(trained.root)[-1].info.run_id
    before = read_files(trained.root / "data")
    victim = next((trained.root / "data").glob("*/*/labels.json"))
    victim.write_text("{}")
    next((trained.root / "data").glob("*/*/infrared/*")).unlink()
    run = machine.dd_livm(trained.root, "restore", run_id)
    assert run.returncode == 0, run.stderr
    assert read_files(trained.root / "data") == before


def test_a_changed_line_in_the_core_runs_again_the_steps_that_use_it(
    machine: Machine, trained: Trained, tmp_path: Path
) -> None:
    for package in ("dd_livm_core", "tasks", "flows"):
        shutil.copytree(ROOT / package, tmp_path / package)
    changed = tmp_path / "dd_livm_core" / "judgement" / "scores.py"
    changed.write_text(changed.read_text() + "\nCHANGED = True\n")
    steps = trained.root / ".dd_livm" / "steps"
    before = {folder.name: set(folder.iterdir()) for folder in steps.iterdir()}
    there = Machine({**machine.environment, "PYTHONPATH": str(tmp_path)})
    run = there.dd_livm(trained.root, *RETRAIN)
    assert run.returncode == 0, run.stderr[-4000:]
    after = {folder.name: set(folder.iterdir()) for folder in steps.iterdir()}
    assert len(after["evaluate"]) == 2 * len(before["evaluate"])
    assert after["align"] == before["align"]


@pytest.mark.slow
def test_killed_in_stage_2_it_ends_with_the_same_weights(
    machine: Machine, trained: Trained, rendered: Path, tmp_path: Path
) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(rendered, root)
    checkpoints = root / ".dd_livm" / "checkpoints"
    process = machine.start(root, *RETRAIN)

    def finished_stages() -> list[Path]:
        stages = root / ".dd_livm" / "steps" / "dtft"
        return [folder for folder in stages.glob("[!.]*") if folder.is_dir()]

    def stage_2_is_under_way() -> bool:
        assert process.poll() is None, "the retraining ended before it could be killed"
        return len(finished_stages()) == 1 and any(p.is_file() for p in checkpoints.rglob("*"))

    wait_until(stage_2_is_under_way, 300, "a checkpoint of stage 2")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    stage_1 = finished_stages()
    written = [p.stat().st_mtime_ns for p in stage_1]

    run = machine.dd_livm(root, *RETRAIN)
    assert run.returncode == 0, run.stderr[-4000:]
    assert [p.stat().st_mtime_ns for p in stage_1] == written
    assert read_registered_weights(root) == read_registered_weights(trained.root)
    (parent,) = list_parents(root)  # the open run was taken up, and none made beside it
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["dd_livm.resumed"] == "1"


def test_a_mission_without_labels_is_inspected(machine: Machine, trained: Trained) -> None:
    mission = sorted((trained.root / "data").glob("*/*/mission.json"))[0].parent
    run = machine.dd_livm(trained.root, "inspect", str(mission), "--output", "report")
    assert run.returncode == 0, run.stderr[-4000:]
    content = json.loads((trained.root / "report" / "findings.json").read_text())
    assert content["model"]["simulated"]
    assert "demonstration" in (trained.root / "report" / "index.html").read_text()
    assert content["counts"]["pairs"] + content["counts"]["unreadable"] == 10
    for pair in content["pairs"]:
        assert (
            trained.root / "report" / "pictures" / f"{pair['pair_id']}.jpg"
        ).stat().st_size > 5000
    assert (trained.root / "report" / "index.html").exists()


def test_infrared_images_alone_are_inspected_and_so_is_a_pair_that_fails(
    machine: Machine, trained: Trained, tmp_path: Path
) -> None:
    mission = sorted((trained.root / "data").glob("*/*/mission.json"))[0].parent
    flight, files = tmp_path / "flight", sorted((mission / "infrared").iterdir())[:6]
    flight.mkdir()
    for number, path in enumerate(files):
        shutil.copy(path, flight / f"DJI_000{number}_T{path.suffix}")
    cv2.imwrite(str(flight / "DJI_0005_V.jpg"), np.full((1536, 2048, 3), 90, np.uint8))
    run = machine.dd_livm(trained.root, "inspect", str(flight), "--output", str(tmp_path / "out"))
    assert run.returncode == 0, run.stderr[-4000:]
    assert "6 of 6 pairs are infrared alone" in run.stdout + run.stderr
    content = json.loads((tmp_path / "out" / "findings.json").read_text())
    counts = {name: content["counts"][name] for name in ("pairs", "infrared_alone", "failed")}
    assert counts == {"pairs": 6, "infrared_alone": 6, "failed": 1}
    assert set(content["findings_by_class"]) <= {"unknown"}
    by_id = {pair["pair_id"]: pair for pair in content["pairs"]}
    assert (by_id["DJI_0000"]["visible"], by_id["DJI_0000"]["alignment"]) == (None, "infrared_only")
    assert by_id["DJI_0005"]["visible"].endswith("DJI_0005_V.jpg")
    assert "blank" in by_id["DJI_0005"]["reason"]
    page = (tmp_path / "out" / "index.html").read_text()
    assert "a visible camera, or a second flight with one, would tell" in page
    assert "_alignment.jpg" not in page
    pictures = {path.name for path in (tmp_path / "out" / "pictures").iterdir()}
    assert pictures == {f"{name}.jpg" for name in by_id}


def test_two_retrainings_at_once_are_refused(machine: Machine, trained: Trained) -> None:
    from tasks.workspace import Workspace

    with Workspace.at(trained.root).lock("retrain", wait_s=1, purpose="this test"):
        run = machine.dd_livm(trained.root, *RETRAIN)
    assert run.returncode == 2
    assert "another process" in run.stderr


def test_an_empty_workspace_says_what_to_do(machine: Machine, tmp_path: Path) -> None:
    run = machine.dd_livm(tmp_path, "retrain", "--profile", "demo")
    assert run.returncode == 2
    assert "dd-livm ingest" in run.stderr
