"""Training batches: the same pairs in the same order with the same augmentation for a seed, stage and epoch."""

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
    """One training step's pairs.

    Attributes
    ----------
    infrared, visible
        (B, 2, h, w) and (B, 3, h, w) float32, as `network_input.encode` makes them.
    boxes
        One tensor (n, 4) a pair: x0, y0, x1, y1 in input pixels.
    classes, shapes
        (N,) int64 for all boxes in turn: index of the defect class and of the hotspot shape, -1 where unknown.
    """

    infrared: Tensor
    visible: Tensor
    boxes: list[Tensor]
    classes: Tensor
    shapes: Tensor


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
            if is_usable(mission, row)
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
        yield from prefetch(batch, steps)


def collate(examples: Sequence[Example]) -> Batch:
    """Turn examples into the network's tensors."""
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
