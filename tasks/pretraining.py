"""Train the base model in a workspace: read the plants, train, write weights with their card."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dd_livm_core.base_model.weights import save_base
from dd_livm_core.errors import InputError
from dd_livm_core.files import hash_file
from dd_livm_core.labels.plant_labels import LABELS_FILE, DrawnPlants, read_drawn_plants
from dd_livm_core.training.pretraining import PretrainingConfig, pretrain, read_training_frames
from tasks.tracking import code_version
from tasks.workspace import Workspace

BASE_FILE = "base.safetensors"


def pretrain_in(
    workspace: Workspace,
    folder: Path,
    output: Path | None,
    *,
    imagenet: Path | None,
    without: Sequence[str],
    steps: int,
    seed: int,
    report: Callable[[str], None],
) -> Path:
    """Train the base model on a folder of plants and return the file of its weights.

    Raises
    ------
    InputError
        The labels are broken, a plant to leave out is not among them, or an image cannot be read.
    """
    plants = read_drawn_plants(folder)
    unknown = sorted(set(without) - set(plants.plants))
    if unknown:
        raise InputError(
            f"plants among {', '.join(plants.plants)}",
            ", ".join(unknown),
            folder,
            "Mend --without.",
        )
    config = PretrainingConfig(steps=steps, seed=seed)
    card = _make_card(plants, config, imagenet, without)
    frames = read_training_frames(plants, without)
    work_dir = (
        workspace.derived / "base" / hashlib.sha256(json.dumps(card).encode()).hexdigest()[:20]
    )
    started = time.perf_counter()

    def tell(step: int, losses: dict[str, float]) -> None:
        left_s = (time.perf_counter() - started) / step * (config.steps - step)
        named = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        report(f"step {step} of {config.steps}, about {left_s / 60:.0f} min left; losses: {named}")

    with workspace.lock("pretrain", wait_s=2.0, purpose="training the base model here"):
        network = pretrain(frames, config, work_dir, imagenet_weights=imagenet, on_checkpoint=tell)
    target = output or workspace.derived / "base" / BASE_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    save_base(network, {**card, "code_version": code_version()}, target)
    return target


def _make_card(
    plants: DrawnPlants,
    config: PretrainingConfig,
    imagenet: Path | None,
    without: Sequence[str],
) -> dict[str, Any]:
    """Return what decides the weights: the labels, the plants and their frames, the start, the configuration."""
    used = Counter(frame.site for frame in plants.frames if frame.site not in without)
    return {
        "labels_sha256": hash_file(plants.folder / LABELS_FILE),
        "frames": dict(sorted(used.items())),
        "imagenet_sha256": hash_file(imagenet) if imagenet else None,
        "configuration": config.model_dump(mode="json"),
    }
