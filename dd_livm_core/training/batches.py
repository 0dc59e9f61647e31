"""Make training batches: seed, stage and epoch decide their order and augmentation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dd_livm_core.aligned.store import held_out_rows, read_aligned_mission
from dd_livm_core.errors import InputError
from dd_livm_core.model.network_input import encode
from dd_livm_core.training.augmentation import Augmentation
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.examples import Example, is_usable, read_example
from dd_livm_core.training.prefetch import prefetch


@dataclass(frozen=True)
class Batch:
    """The B pairs of one training step, with N labels in all.

    Attributes
    ----------
    infrared, visible
        (B, 2, h, w) and (B, 3, h, w) float32, as `network_input.encode` makes them.
    boxes
        One float32 tensor (n, 4) per pair: x0, y0, x1, y1 in input pixels.
    classes, shapes
        (N,) int64, in the order of the boxes: index into ``DEFECT_CLASSES``; into ``HOTSPOT_SHAPES``, or -1 where the
        label has no shape.
    """

    infrared: Tensor
    visible: Tensor
    boxes: list[Tensor]
    classes: Tensor
    shapes: Tensor


class TrainingPairs:
    """The pairs of aligned missions that can be trained on, read from disk when asked for.

    Left out are pairs that are held out, have no labels or no visible image, or whose alignment is not trusted.

    Raises
    ------
    InputError
        No pair is left.
    """

    def __init__(self, stores: Sequence[Path], config: TrainingConfig) -> None:
        self.config = config
        self.missions = [read_aligned_mission(folder) for folder in stores]
        self.rows = [
            (number, row)
            for number, mission in enumerate(self.missions)
            for row in np.nonzero(~held_out_rows(mission.index))[0].tolist()
            if is_usable(mission, row)
        ]
        if not self.rows:
            raise InputError(
                "aligned and labelled pairs to train on",
                "none",
                ", ".join(map(str, stores)),
                "Ingest missions with labels; alignment.json in these folders says what became of each pair.",
            )

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.rows)

    def example(self, number: int) -> Example:
        """Return one pair, resized to the network's input."""
        mission_number, row = self.rows[number]
        return read_example(self.missions[mission_number], row, self.config)

    def batches(self, stage: int, epoch: int) -> Iterator[Batch]:
        """Yield one epoch's batches, shuffled and augmented; a thread makes the next ones while one is trained on."""
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
        yield from prefetch(batch, steps)


def collate(examples: Sequence[Example]) -> Batch:
    """Return examples as one batch."""
    infrared, visible = (
        np.stack(side) for side in zip(*(encode(e.pixels) for e in examples), strict=True)
    )
    targets = torch.from_numpy(np.concatenate([e.targets for e in examples]))
    return Batch(
        torch.from_numpy(infrared),
        torch.from_numpy(visible),
        [torch.from_numpy(e.boxes) for e in examples],
        targets[:, 0],
        targets[:, 1],
    )
