"""Heat transfer, hotspot shapes, and what hotspot-driven augmentation is worth at equal budget.

    python -m benchmarks.augmentation [--real FOLDER] [--steps 300] [--fleet-steps 60] [--seeds 1 2 3] [--shapes-only]

``FOLDER`` is InfraredSolarModules (``images.zip``, ``module_metadata.json``); without it, or the
environment variable ``DD_LIVM_REAL_DATA`` that holds it, only the simulated parts run. On the fleet
one whole site is left out at a time, infrared alone: weeds, dust and breakage differ little there,
so accuracies are low for every arm.
"""

import argparse
import os
import tempfile
import timeit
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.fft import dctn, idctn

from benchmarks.augmentation_arms import ARMS, Crops, compare
from benchmarks.augmentation_shapes import (
    ABOVE_NOISE_K,
    FLEET_MODULE_PX,
    ShapeScore,
    crop_shapes,
    fleet_crops,
    fleet_shapes,
    fleet_truth,
    real_crops,
)
from benchmarks.augmentation_step import step_shares
from benchmarks.results_file import write_result
from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.heat.diffusion import weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K
from dd_livm_core.panels.excess import excess_temperature

FLEET_SEED = 31
PV_MODULE_WIDTH_M = 1.05
PER_CLASS, NORMAL = 400, 1000
RARE = ("Diode-Multi", "Soiling", "Hot-Spot", "Hot-Spot-Multi")


def transfer_times() -> dict[str, float]:
    """Time the transfer of 640 by 512 float32 against SciPy's DCT (the fastest here; OpenCV's is slower)."""
    field = np.random.default_rng(0).normal(size=(512, 640)).astype(np.float32)

    def least(call: object) -> float:
        return min(timeit.repeat(call, number=3, repeat=15)) / 3  # type: ignore[arg-type]

    bare = least(lambda: idctn(dctn(field, norm="ortho"), norm="ortho"))
    transfer = least(lambda: weather_transfer(field, 0.03, CELL_CONDUCTANCE_W_K, 20.0, 33.0, 0.7))
    augment = HotspotWeather(p=1.0, cloud_probability=0.0)
    mask = np.zeros(field.shape, np.uint8)
    mask[100:400] = 1
    hot = 0.2 * field * mask
    hot[200:240, 300:315] += 8
    whole = least(lambda: augment(image=hot, panel_mask=mask))
    return {
        "transfer_ratio_to_bare_dct": round(transfer / bare, 2),
        "transfer_ms": round(1000 * transfer, 2),
        "augmentation_ms": round(1000 * whole, 2),
    }


def fleet_arms(
    truth: Path, seeds: list[int], steps: int, processes: int
) -> dict[str, dict[str, object]]:
    """Compare the arms with one simulated site left out at a time."""
    excess, classes, sites = fleet_crops(truth, FLEET_SEED)
    names, label = np.unique(classes, return_inverse=True)
    pixel_m = PV_MODULE_WIDTH_M / FLEET_MODULE_PX
    module = (FLEET_MODULE_PX, 1.7 * FLEET_MODULE_PX)
    crops = Crops(excess, label, tuple(map(str, names)), True, pixel_m, module)
    folds = [
        (np.flatnonzero(sites != site), np.flatnonzero(sites == site)) for site in np.unique(sites)
    ]
    rare = [int(np.argmin(np.bincount(label)))]
    return compare(crops, folds, seeds, steps, rare, processes)


def crops_data(images: dict[str, list[np.ndarray]]) -> tuple[Crops, list[int]]:
    """Return the real crops as excess over their own median, capped per class."""
    everywhere, names = np.ones((40, 24), bool), tuple(sorted(images))
    excess, label = [], []
    for number, name in enumerate(names):
        for image in images[name][: NORMAL if name == "No-Anomaly" else PER_CLASS]:
            excess.append(excess_temperature(image.astype(np.float32), everywhere, False))
            label.append(number)
    crops = Crops(np.stack(excess), np.array(label), names, False, 1.0 / 24, (24.0, 40.0))
    return crops, [names.index(name) for name in RARE]


def split(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split 70 to 30 per class, always the same."""
    rng = np.random.default_rng(7)
    chosen = np.zeros(len(label), bool)
    for number in np.unique(label):
        rows = rng.permutation(np.flatnonzero(label == number))
        chosen[rows[: int(0.7 * len(rows))]] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def real_folder(given: Path | None) -> Path | None:
    if given is None and "DD_LIVM_REAL_DATA" in os.environ:
        given = Path(os.environ["DD_LIVM_REAL_DATA"]) / "infrared_solar_modules"
    return given if given is not None and (given / "images.zip").exists() else None


def shape_figures(
    scores: dict[str, ShapeScore],
) -> tuple[dict[str, float], dict[str, object]]:
    """Return the shapes' figures; by contrast, by site and the confusion as an arm of their own."""
    segmented = scores["segmented"]
    above = {name: score.shares(ABOVE_NOISE_K) for name, score in scores.items()}
    figures = {
        "shape_accuracy": above["segmented"]["right"],
        "shape_accuracy_of_located": above["segmented"]["right_of_located"],
        "hotspots_located": above["segmented"]["located"],
        "shape_accuracy_noise_free": above["noise_free"]["right"],
        "shape_accuracy_plain": above["plain"]["right"],
        "shape_kept_scaled_turned": round(100 * segmented.invariant / max(segmented.turned, 1), 1),
    }
    for name in ("segmented", "plain"):
        figures[f"false_per_frame_{name}"] = round(scores[name].false / scores[name].frames, 2)
    table = segmented.table()[lambda table: table.mean_excess_k >= ABOVE_NOISE_K]
    by_site = table.assign(right=table.true == table.found).groupby("site").right
    return figures, {
        "by_least_mean_excess_k": {str(k): segmented.shares(k) for k in (1.5, 2.0, 2.5, 3.0, 4.0)},
        "above_noise": above,
        "without_true_shape": segmented.without_shape,
        "found_by_cause": segmented.by_cause(ABOVE_NOISE_K),
        "sites": {
            site: {"true": int(n), "right": int(right)}
            for site, n, right in by_site.agg(["size", "sum"]).itertuples()
        },
        "confusion": {
            f"{true} -> {found}": int(n)
            for (true, found), n in table.groupby(["true", "found"]).size().items()
        },
    }


def arms_figures(arms: dict[str, dict[str, object]], prefix: str) -> dict[str, object]:
    """Return one accuracy per arm, and one under shifted weather."""
    return {
        f"{prefix}{arm}_{name}": arms[arm][name]
        for arm in ARMS
        for name in ("accuracy", "shifted_accuracy")
    }


def arms_table(arms: dict[str, dict[str, object]], prefix: str) -> str:
    """Return the arms as the Markdown table of docs/heat.md."""
    names = ("accuracy", "balanced_accuracy", "rare_recall", "shifted_accuracy")
    names = (*names, "shifted_balanced_accuracy", "augmentation_share_of_step")
    lines = ["| arm | " + " | ".join(names).replace("_", " ") + " |", "|---" * 7 + "|"]
    for arm in ARMS:
        row = arms.get(prefix + arm)
        if row is not None:
            lines.append(f"| {arm} | " + " | ".join(f"{row[name]}" for name in names) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--fleet-steps", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--shapes-only",
        action="store_true",
        help="only the fleet's shapes, in minutes: shapes.json",
    )
    arguments = parser.parse_args()
    if arguments.shapes_only:
        with tempfile.TemporaryDirectory() as folder:
            truth = fleet_truth(Path(folder), FLEET_SEED)
            shapes, by = shape_figures(fleet_shapes(truth, FLEET_SEED))
        print(write_result("shapes", seeds=[FLEET_SEED], figures=dict(shapes), arms={"fleet": by}))
        return
    figures: dict[str, float | int | str | None] = dict(transfer_times())
    arms: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        truth = fleet_truth(Path(folder), FLEET_SEED)
        shapes, arms["shapes_on_fleet"] = shape_figures(fleet_shapes(truth, FLEET_SEED))
        figures |= shapes
        print(figures, arms, flush=True)
        held_out = fleet_arms(truth, arguments.seeds, arguments.fleet_steps, arguments.processes)
        # In a process of its own: training makes torch deterministic for good.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            figures |= pool.submit(step_shares, truth, Path(folder) / "training").result()
    arms |= {f"fleet {arm}": values for arm, values in held_out.items()}
    figures |= arms_figures(held_out, "fleet_")  # type: ignore[arg-type]
    real = real_folder(arguments.real)
    if real is not None:
        images = real_crops(real)
        # The other half was looked at while segmentation was made.
        unseen = {name: own[1::2] for name, own in images.items()}
        arms["shapes_on_real_crops"] = crop_shapes(unseen, 700)
        crops, rare = crops_data(images)
        folds = [split(crops.label)]
        compared = compare(
            crops, folds, arguments.seeds, arguments.steps, rare, arguments.processes
        )
        arms |= compared
        figures |= arms_figures(compared, "")  # type: ignore[arg-type]
    print(arms_table(arms, "fleet "), arms_table(arms, ""), sep="\n\n")
    print(write_result("augmentation", seeds=arguments.seeds, figures=figures, arms=arms))


if __name__ == "__main__":
    main()
