"""Each stage changes its own weights only, and being killed changes no result."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dd_livm_core.errors import InputError
from dd_livm_core.model.detector import Architecture, Detector
from dd_livm_core.model.weights import load_detector, save_detector
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.loop import train_stage
from tests.synthetic_store import HEIGHT, WIDTH, write_synthetic_store

ROOT = Path(__file__).parents[2]
CONFIG = TrainingConfig(
    input_width_px=WIDTH, input_height_px=HEIGHT, channels=8, batch_size=4, torch_threads=1,
    epochs_stage_1=6, epochs_stage_2=6, epochs_stage_3=6,
)  # fmt: skip
ONE_EPOCH = CONFIG.model_copy(
    update={"epochs_stage_1": 1, "epochs_stage_2": 1, "epochs_stage_3": 1}
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of ten labelled pairs."""
    return write_synthetic_store(tmp_path_factory.mktemp("store"), count=10)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the weights of an untrained detector."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("start") / "weights.safetensors"
    save_detector(Detector(Architecture(WIDTH, HEIGHT, 8)), path)
    return path


@pytest.mark.parametrize(
    ("stage", "changed"),
    [
        (1, {"infrared", "tower", "centre", "sides", "shape_head", "shape_embedding"}),
        (2, {"visible", "external_head", "type_embedding"}),
    ],
)
def test_a_stage_changes_its_own_side_only(
    stage: int, changed: set[str], store: Path, start: Path, tmp_path: Path
) -> None:
    result = train_stage(stage, [store], ONE_EPOCH, tmp_path, start)  # type: ignore[arg-type]
    before, after = load_file(start), load_file(result.weights)
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == changed


def test_stage_3_moves_both_encoders_and_the_gates(
    store: Path, start: Path, tmp_path: Path
) -> None:
    result = train_stage(3, [store], ONE_EPOCH, tmp_path, start)
    before, after = load_file(start), load_file(result.weights)
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert {"infrared", "visible", "where_residual", "what_residual", "class_head"} <= moved


TRAINING_TO_KILL = """
import sys
from pathlib import Path
from dd_livm_core.training.loop import train_stage
from dd_livm_core.training.configuration import TrainingConfig
config = TrainingConfig.model_validate_json(sys.argv[1])
train_stage(2, [Path(sys.argv[2])], config, Path(sys.argv[3]), Path(sys.argv[4]),
            lambda epoch: print(int(epoch["epoch"]), flush=True))
"""


@pytest.mark.parametrize("lines", [1, 4])
def test_killed_and_started_again_ends_with_the_same_weights(
    lines: int, store: Path, start: Path, tmp_path: Path
) -> None:
    whole = train_stage(2, [store], CONFIG, tmp_path / "whole", start)
    work_dir = tmp_path / "killed"
    run = subprocess.Popen(
        [sys.executable, "-c", TRAINING_TO_KILL, CONFIG.model_dump_json(), store, work_dir, start],
        stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert run.stdout is not None
    for _ in range(lines):
        assert run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    run.stdout.close()
    assert not (work_dir / whole.weights.name).exists(), "it was killed before its end"
    (work_dir / "epoch-torn").mkdir()
    (work_dir / "epoch-torn" / "weights.safetensors").write_bytes(b"half a file")
    seen: list[int] = []
    resumed = train_stage(
        2, [store], CONFIG, work_dir, start, lambda epoch: seen.append(int(epoch["epoch"]))
    )
    assert seen == list(range(seen[0], 6))
    assert seen[0] >= lines, "whole epochs are not trained again"
    assert resumed.weights.read_bytes() == whole.weights.read_bytes()
    assert resumed.history == whole.history


@pytest.mark.parametrize("damage", ["one bit", "cut", "missing", "its name"])
def test_a_damaged_checkpoint_is_named_and_the_stage_begins_anew(
    damage: str, store: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = train_stage(2, [store], ONE_EPOCH, tmp_path, start)
    weights, history = whole.weights.read_bytes(), whole.history
    (part,) = tmp_path.glob("epoch-*/progress.pt")
    content = bytearray(part.read_bytes())
    if damage == "one bit":
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
    elif damage == "cut":
        part.write_bytes(content[:500])
    elif damage == "missing":
        part.unlink()
    else:
        (tmp_path / "epoch").write_bytes(b"\0" * 20)
    again = train_stage(2, [store], ONE_EPOCH, tmp_path, start)
    assert "damaged checkpoint" in caplog.text
    assert str(tmp_path / "epoch") in caplog.text
    assert again.weights.read_bytes() == weights
    assert again.history == history


def test_the_wait_for_data_is_told_but_is_no_result(
    store: Path, start: Path, tmp_path: Path
) -> None:
    reported: list[dict[str, float]] = []
    (epoch,) = train_stage(2, [store], ONE_EPOCH, tmp_path, start, reported.append).history
    assert 0 <= reported[0]["data_wait_share"] <= 1
    assert reported == [{**epoch, "data_wait_share": reported[0]["data_wait_share"]}]
    assert "data_wait_share" not in epoch


def test_the_same_weights_are_the_same_file(start: Path, tmp_path: Path) -> None:
    """Steps know weights by their file's hash, so equal weights must give equal files."""
    again = tmp_path / "again.safetensors"
    for _ in range(12):
        save_detector(load_detector(start), again)
        assert again.read_bytes() == start.read_bytes()


def test_the_seed_decides_the_weights(store: Path, tmp_path: Path) -> None:
    weights = [
        train_stage(1, [store], ONE_EPOCH.model_copy(update={"seed": seed}), tmp_path / name, None)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    a, b, c = (result.weights.read_bytes() for result in weights)
    assert a == b
    assert a != c


def test_a_loss_that_is_not_finite_stops(store: Path, tmp_path: Path) -> None:
    model = Detector(Architecture(WIDTH, HEIGHT, 8))
    with torch.no_grad():
        model.centre.bias.fill_(float("nan"))
    save_detector(model, tmp_path / "broken.safetensors")
    with pytest.raises(InputError, match="a finite loss"):
        train_stage(1, [store], ONE_EPOCH, tmp_path / "work", tmp_path / "broken.safetensors")


def test_weights_of_another_architecture_are_refused(store: Path, tmp_path: Path) -> None:
    save_detector(Detector(Architecture(WIDTH, HEIGHT, 16)), tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="weights of"):
        train_stage(2, [store], ONE_EPOCH, tmp_path / "work", tmp_path / "other.safetensors")
