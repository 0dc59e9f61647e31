"""Equal training budgets with and without augmentation: a small classifier of hotspot crops.

A second training loop beside ``dd_livm_core.training``. The arms of the benchmark to come, which train the detector
itself with sites left out, replace this file.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import albumentations as A
import numpy as np
import torch
from torch import nn

from dd_livm_core.augmentation.signal import sensor_noise
from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.heat.diffusion import weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, loss_coefficient

ARMS = ("none", "oversample", "photometric", "physics", "photometric+physics")
BATCH = 64


@dataclass(frozen=True)
class Crops:
    """Excess crops (n, h, w) float32, labels (n,) int, and what is known of their scale."""

    excess: np.ndarray
    label: np.ndarray
    names: tuple[str, ...]
    radiometric: bool
    pixel_m: float
    pv_module_px: tuple[float, float]


class SmallClassifier(nn.Module):
    """Three convolutions and a linear layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers)
        self.classify = nn.Linear(128, classes)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        maps = self.features(crops)
        return self.classify(torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1))


def normalised(excess: np.ndarray) -> np.ndarray:
    """Bound the excess as a network's input."""
    return np.arcsinh(excess / 2).astype(np.float32)


def transform_of(arm: str, crops: Crops, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the arm's transform of one crop."""
    steps: list[A.BasicTransform] = []
    if "physics" in arm:
        steps.append(
            HotspotWeather(
                p=0.5, pv_module_width_px=crops.pv_module_px[0],
                pv_module_width_m=crops.pixel_m * crops.pv_module_px[0],
            )
        )  # fmt: skip
    if "photometric" in arm:
        steps += [
            _Photometric(p=0.5),
            A.GaussianBlur(blur_limit=3, p=0.2),
        ]
    if not steps:
        return lambda crop: crop
    composed = A.Compose(steps, seed=seed)
    known = {"radiometric": crops.radiometric, "pv_module_height_px": crops.pv_module_px[1]}
    return lambda crop: composed(image=crop, weather=known)["image"]


class _Photometric(A.ImageOnlyTransform):
    """Contrast, level and noise drawn at random: the usual augmentation, blind to physics."""

    def get_params(self) -> dict[str, float]:
        uniform = self.py_random.uniform
        return {"gain": uniform(0.6, 1.5), "level": uniform(-0.5, 0.5), "noise": uniform(0, 0.3)}

    def apply(self, img: np.ndarray, **params: float) -> np.ndarray:
        noise = self.random_generator.normal(0, params["noise"], img.shape)
        return (img * params["gain"] + params["level"] + noise).astype(np.float32)


def train(
    arm: str, crops: Crops, rows: np.ndarray, seed: int, steps: int
) -> tuple[SmallClassifier, float]:
    """Train one arm for ``steps`` batches; return the model and the share of time in augmentation."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = SmallClassifier(len(crops.names))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps)
    transform = transform_of(arm, crops, seed)
    chance = np.ones(len(rows))
    if arm == "oversample":
        chance = 1 / np.bincount(crops.label[rows], minlength=len(crops.names))[crops.label[rows]]
    chance /= chance.sum()
    augmenting, started = 0.0, time.perf_counter()
    model.train()
    for _ in range(steps):
        batch = rng.choice(rows, BATCH, p=chance)
        before = time.perf_counter()
        images = np.stack([transform(crops.excess[k]) for k in batch])
        augmenting += time.perf_counter() - before
        loss = nn.functional.cross_entropy(
            model(torch.from_numpy(normalised(images))[:, None]),
            torch.from_numpy(crops.label[batch]),
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval(), augmenting / (time.perf_counter() - started)


def shift_weather(crops: Crops, rows: np.ndarray) -> np.ndarray:
    """Return test crops under half the light and 6 m/s more wind, with the noise put back.

    Same equation as the ``physics`` arm, so this favours it; the other arms meet it as unseen weather.
    """
    rng = np.random.default_rng(99)
    everywhere = np.ones(crops.excess.shape[1:], bool)
    shifted = []
    for crop in crops.excess[rows]:
        noise = sensor_noise(crop, everywhere)
        moved = weather_transfer(
            crop, crops.pixel_m, CELL_CONDUCTANCE_W_K, loss_coefficient(1), loss_coefficient(7), 0.5
        )
        # Only what is warmer changes: the colder frame does not depend on the defect.
        moved = np.where(crop > 0, moved, crop)
        shifted.append(moved + rng.normal(0, noise * 0.7, crop.shape))
    return np.asarray(shifted, np.float32)


def score(model: SmallClassifier, images: np.ndarray, label: np.ndarray, classes: int) -> dict:
    """Return accuracy, balanced accuracy and recall per class, in percent."""
    with torch.no_grad():
        outputs = [
            model(torch.from_numpy(normalised(part))[:, None]) for part in np.array_split(images, 8)
        ]
    right = torch.cat(outputs).argmax(1).numpy() == label
    recall = [
        100 * right[label == k].mean() if (label == k).any() else np.nan for k in range(classes)
    ]
    return {"accuracy": 100 * right.mean(), "balanced": float(np.nanmean(recall)), "recall": recall}


def compare(
    crops: Crops, folds: Sequence[tuple[np.ndarray, np.ndarray]], seeds: Sequence[int], steps: int,
    rare: Sequence[int], processes: int = 1,
) -> dict[str, dict[str, object]]:  # fmt: skip
    """Train every arm on every fold and seed; tabulate accuracy, shifted accuracy, rare classes."""
    tasks = [(crops, arm, fold, tuple(seeds), steps) for arm in ARMS for fold in folds]
    with ProcessPoolExecutor(processes, get_context("spawn"), _single_thread) as pool:
        results = list(pool.map(_train_and_score, tasks))
    table: dict[str, dict[str, object]] = {}
    for number, arm in enumerate(ARMS):
        own = results[number * len(folds) : (number + 1) * len(folds)]
        table[arm] = _summary([run for fold in own for run in fold], crops.names, list(rare))
        print(arm, {key: value for key, value in table[arm].items() if key != "recall"}, flush=True)
    return table


def _single_thread() -> None:
    torch.set_num_threads(1)


def _train_and_score(
    task: tuple[Crops, str, tuple[np.ndarray, np.ndarray], tuple[int, ...], int],
) -> list[tuple[int, dict, dict, float]]:
    """Return seed, scores on the fold's test crops and on their shifted copies, and share of augmentation."""
    crops, arm, (train_rows, test_rows), seeds, steps = task
    copies, label = shift_weather(crops, test_rows), crops.label[test_rows]
    runs = []
    for seed in seeds:
        model, share = train(arm, crops, train_rows, seed, steps)
        plain = score(model, crops.excess[test_rows], label, len(crops.names))
        runs.append((seed, plain, score(model, copies, label, len(crops.names)), share))
    return runs


def _summary(
    runs: list[tuple[int, dict, dict, float]], names: tuple[str, ...], rare: list[int]
) -> dict[str, object]:
    """Average over folds and seeds; the spread is that of the seeds, each averaged over its folds."""
    plain, shifted = [run[1] for run in runs], [run[2] for run in runs]
    recall = np.nanmean([result["recall"] for result in plain], axis=0)
    shifted_recall = np.nanmean([result["recall"] for result in shifted], axis=0)
    by_seed = [
        np.mean([run[1]["accuracy"] for run in runs if run[0] == seed])
        for seed in sorted({run[0] for run in runs})
    ]
    return {
        "accuracy": _mean(plain, "accuracy"),
        "accuracy_seeds_sd": round(float(np.std(by_seed)), 2),
        "balanced_accuracy": _mean(plain, "balanced"),
        "shifted_accuracy": _mean(shifted, "accuracy"),
        "shifted_balanced_accuracy": _mean(shifted, "balanced"),
        "rare_recall": round(float(np.nanmean(recall[rare])), 2),
        "shifted_rare_recall": round(float(np.nanmean(shifted_recall[rare])), 2),
        "augmentation_share_of_step": round(float(np.mean([run[3] for run in runs])), 3),
        "recall": dict(zip(names, np.round(recall, 1).tolist(), strict=True)),
    }


def _mean(results: list[dict], key: str) -> float:
    return round(float(np.mean([result[key] for result in results])), 2)
