"""Train one stage of defect-targeted fine-tuning."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.model.weights import WEIGHTS
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.dtft import Stage
from dd_livm_core.training.loop import train_stage
from tasks.progress import StepProgress
from tasks.step import Reference, Step
from tasks.tracking import child_run, log_history
from tasks.workspace import KEY_CHARACTERS, Workspace

HISTORY = "history.json"

train_step = Step("dtft", "1", ("tasks.train",), ignore=("parent_run_id",))


class TrainedStage(BaseModel):
    """The weights of one stage, and the record of its last epoch."""

    model_config = ConfigDict(frozen=True)

    stage: int
    weights: Reference
    last_epoch: dict[str, float]

    def weights_file(self, workspace: Workspace) -> Path:
        """Return the safetensors file."""
        return self.weights.folder(workspace) / WEIGHTS


@task(
    name="dtft",
    version="1",
    task_run_name="DTFT stage {stage}",
    cache_key_fn=train_step,
    persist_result=True,
    result_serializer="json",
)
def train(
    workspace: Workspace,
    stage: Stage,
    aligned: list[Reference],
    training: TrainingConfig,
    before: TrainedStage | None,
    parent_run_id: str,
) -> TrainedStage:
    """Train one stage on the aligned missions of the training sites, from the weights of the stage before.

    Every epoch leaves a checkpoint in a folder named by the step's key, so that a killed stage goes on from its last
    finished epoch, to the same weights.
    """
    parameters = {
        "workspace": workspace,
        "stage": stage,
        "aligned": aligned,
        "training": training,
        "before": before,
    }
    key = train_step.key(parameters)
    checkpoints = workspace.derived / "checkpoints" / key[:KEY_CHARACTERS]
    log_epoch = _make_epoch_logger(workspace, stage, training, parent_run_id)

    def write(folder: Path) -> None:
        result = train_stage(
            stage,
            [reference.folder(workspace) for reference in aligned],
            training,
            checkpoints,
            before.weights_file(workspace) if before else None,
            log_epoch,
        )
        shutil.copyfile(result.weights, folder / WEIGHTS)
        (folder / HISTORY).write_text(json.dumps(list(result.history), indent=1), encoding="utf-8")

    weights = train_step.produce(workspace, parameters, write)
    shutil.rmtree(checkpoints, ignore_errors=True)
    history = _read_history(workspace, weights)
    get_run_logger().info("DTFT stage %d: %s", stage, history[-1])
    return TrainedStage(
        stage=stage,
        weights=weights,
        last_epoch={k: float(v) for k, v in history[-1].items() if isinstance(v, int | float)},
    )


def _make_epoch_logger(
    workspace: Workspace, stage: Stage, training: TrainingConfig, parent_run_id: str
) -> Callable[[dict[str, float]], None]:
    """Return what reports an epoch's record: to the stage's child run, to the log and on Prefect's page."""
    run_id = child_run(workspace, parent_run_id, f"stage_{stage}", training.model_dump(mode="json"))
    progress = StepProgress(f"dtft-stage-{stage}", f"DTFT stage {stage}, epochs")

    def log_epoch(epoch: dict[str, float]) -> None:
        log_history(workspace, run_id, [epoch])
        progress(int(epoch["epoch"]) + 1, int(epoch["epochs"]), f"loss {epoch['loss']:.4f}")

    return log_epoch


def _read_history(workspace: Workspace, weights: Reference) -> list[dict[str, float]]:
    """Return a stage's records, one per epoch."""
    history: list[dict[str, float]] = json.loads(
        (weights.folder(workspace) / HISTORY).read_text(encoding="utf-8")
    )
    return history


def record_stage(
    workspace: Workspace, trained: TrainedStage, training: TrainingConfig, parent_run_id: str
) -> None:
    """Complete and end the stage's child run; needed where the stage came from the cache and logged nothing."""
    run_id = child_run(
        workspace, parent_run_id, f"stage_{trained.stage}", training.model_dump(mode="json")
    )
    log_history(workspace, run_id, _read_history(workspace, trained.weights), done=True)
