"""Training batches: the same pairs in the same order with the same augmentation for a seed, stage and epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dd_livm_core.aligned.store import (
    AlignedMission,
    held_out_rows,
    read_aligned_mission,
    scaled_labels,
)
from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.errors import InputError
from dd_livm_core.model.network_input import infrared_input, resize, visible_input
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.prefetch import made_ahead

UNKNOWN_SHAPE = -1


@dataclass(frozen=True)
class Batch:
    """One training step's pairs; boxes in input pixels, one tensor a pair."""

    infrared: Tensor
    visible: Tensor
    boxes: list[Tensor]
    classes: Tensor
    shapes: Tensor


@dataclass(frozen=True)
class Example:
    """One labelled pair at the network's input size."""

    excess: NDArray[np.float32]
    mask: NDArray[np.uint8]
    visible: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    targets: NDArray[np.int64]
    weather: dict[str, Any]


class TrainingPairs:
    """The labelled training pairs of several aligned missions, read from disk when asked for.

    Raises
    ------
    InputError
        There is no labelled pair.
    """

    def __init__(self, stores: Sequence[Path], config: TrainingConfig) -> None:
        self.config = config
        self.missions = [read_aligned_mission(folder) for folder in stores]
        self.rows = [
            (number, row)
            for number, mission in enumerate(self.missions)
            for row in np.nonzero(~held_out_rows(mission.index))[0].tolist()
            if usable(mission, row)
        ]
        if not self.rows:
            raise InputError(
                "labelled pairs to train on",
                "none",
                ", ".join(map(str, stores)),
                "Ingest missions with labels.",
            )

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.rows)

    def example(self, number: int) -> Example:
        """Read one pair and bring it to the input size."""
        mission_number, row = self.rows[number]
        return read_example(self.missions[mission_number], row, self.config)

    def batches(self, stage: int, epoch: int) -> Iterator[Batch]:
        """Yield one epoch's batches; a thread makes the next ones while the network works on one."""
        order = np.random.default_rng([self.config.seed, stage, epoch]).permutation(len(self.rows))
        augmentation = Augmentation(self.config)

        def batch(chosen: NDArray[np.int64]) -> Batch:
            return collate(
                [
                    augmentation(self.example(int(n)), [self.config.seed, stage, epoch, int(n)])
                    for n in chosen
                ]
            )

        steps = np.array_split(
            order, range(self.config.batch_size, len(order), self.config.batch_size)
        )
        yield from made_ahead(batch, steps)


def usable(mission: AlignedMission, row: int) -> bool:
    """Tell whether a pair is labelled and its alignment is trusted."""
    entry = mission.index.iloc[row]
    return str(entry["pair_id"]) in mission.labels and entry["status"] in ("aligned", "consensus")


def read_example(mission: AlignedMission, row: int, config: TrainingConfig) -> Example:
    """Bring one stored pair and its labels to the input size."""
    size = (config.input_width_px, config.input_height_px)
    excess = np.asarray(mission.infrared_excess[row], np.float32)
    scale = np.array([size[0] / excess.shape[1], size[1] / excess.shape[0]] * 2, np.float32)
    labels = scaled_labels(mission, row) or []
    boxes = np.array([label.box_xywh_px for label in labels], np.float32).reshape(-1, 4) * scale
    boxes[:, 2:] += boxes[:, :2]
    targets = [
        (
            DEFECT_CLASSES.index(label.defect_class),
            HOTSPOT_SHAPES.index(label.hotspot_shape) if label.hotspot_shape else UNKNOWN_SHAPE,
        )
        for label in labels
    ]
    entry = mission.index.iloc[row]
    # What is not known is drawn.
    known = {
        name: float(entry[name])
        for name in ("irradiance_w_m2", "wind_m_s", "pv_module_width_px")
        if pd.notna(entry.get(name)) and (name != "pv_module_width_px" or entry[name] > 0)
    }
    weather: dict[str, Any] = {"radiometric": bool(entry["radiometric"]), **known}
    if "pv_module_width_px" in known:
        weather["pv_module_width_px"] *= float(scale[0])
    return Example(
        np.asarray(resize(excess, size), np.float32),
        (resize(np.asarray(mission.panel_mask[row], np.float32), size) > 0.5).astype(np.uint8),
        np.asarray(resize(np.asarray(mission.visible[row]), size), np.uint8),
        boxes,
        np.array(targets, np.int64).reshape(-1, 2),
        weather,
    )


class Augmentation:
    """Heat, geometry and light; every draw follows from the seed given with the example."""

    def __init__(self, config: TrainingConfig) -> None:
        heat = [HotspotWeather(p=0.5)] if config.hotspot_augmentation else []
        self.both = A.Compose(
            [
                *heat,
                A.HorizontalFlip(p=0.5),
                A.VerticalFlip(p=0.5),
                A.Affine(
                    scale=(0.75, 1.3), rotate=(-20, 20), translate_percent=(-0.12, 0.12), shear=(-4, 4),
                    interpolation=cv2.INTER_LINEAR, p=0.8,
                ),
            ],
            bbox_params=A.BboxParams(
                format="pascal_voc", label_fields=["targets"], clip=True, min_visibility=0.5, min_area=4
            ),
            additional_targets={"visible": "image", "panel_mask": "mask"},
        )  # fmt: skip
        self.visible_only = A.Compose(
            [
                A.RandomBrightnessContrast(0.25, 0.25, p=0.7),
                A.HueSaturationValue(12, 30, 0, p=0.6),
                A.RandomGamma((75, 135), p=0.4),
                A.GaussianBlur(blur_limit=(3, 5), p=0.2),
                A.GaussNoise(std_range=(0.01, 0.04), p=0.2),
            ]
        )

    def __call__(self, example: Example, seed: list[int]) -> Example:
        """Return an augmented copy."""
        draw = int(np.random.SeedSequence(seed).generate_state(1)[0] % 2**31)
        self.both.set_random_seed(draw)
        self.visible_only.set_random_seed(draw)
        changed = self.both(
            image=example.excess,
            visible=example.visible,
            panel_mask=example.mask,
            bboxes=example.boxes,
            targets=np.arange(len(example.boxes)),
            weather=example.weather,
        )
        noise = np.random.default_rng(seed)
        excess = changed["image"] * np.float32(noise.uniform(0.85, 1.15))
        excess = excess + noise.normal(0, 0.08, excess.shape).astype(np.float32)
        kept = np.asarray(changed["targets"], int)
        return Example(
            excess.astype(np.float32),
            changed["panel_mask"],
            self.visible_only(image=changed["visible"])["image"],
            np.asarray(changed["bboxes"], np.float32).reshape(-1, 4),
            example.targets[kept].reshape(-1, 2),
            example.weather,
        )


def collate(examples: Sequence[Example]) -> Batch:
    """Turn examples into the network's tensors."""
    infrared = np.stack([infrared_input(e.excess, e.mask) for e in examples])
    visible = np.stack([visible_input(e.visible, e.mask) for e in examples])
    targets = torch.from_numpy(np.concatenate([e.targets for e in examples]))
    return Batch(
        torch.from_numpy(infrared),
        torch.from_numpy(visible),
        [torch.from_numpy(e.boxes) for e in examples],
        targets[:, 0],
        targets[:, 1],
    )
