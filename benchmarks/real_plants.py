"""Hotspots, panels and PV modules found on real frames of plants that nothing was trained or tuned on.

``python -m benchmarks.real_plants --data FOLDER --imagenet FILE [--steps 500]``: ``FOLDER`` holds ``labels.json`` and
the frames of several plants (default: ``plants`` below ``DD_LIVM_REAL_DATA``). The plants are left out in four groups:
the base model is trained on all others, then looks at these. Two rivals need no training: the segmentation that
compares each pixel with its PV module, and a plain threshold on local contrast inside the same panels. Trained models
are kept in ``benchmarks/.parts``; a killed run goes on. Writes ``benchmarks/results/real_plants.json``, and pictures of
each plant to ``benchmarks/.parts/real_plants/pictures``.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.real_plants_pictures import draw_frame
from benchmarks.results_file import write_result
from dd_livm_core.base_model.frame_view import view_frame
from dd_livm_core.base_model.network import BaseNetwork
from dd_livm_core.base_model.weights import load_base, save_base
from dd_livm_core.camera_files.picture_values import read_picture_values
from dd_livm_core.hotspots.segmentation import find_hotspots
from dd_livm_core.judgement.plant_scores import (
    FrameFindings,
    FrameScore,
    score_frame,
    summarize,
    threshold_at,
)
from dd_livm_core.labels.plant_labels import DrawnPlants, read_drawn_plants
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.panels.lattice import pv_module_short_px
from dd_livm_core.panels.mask import panel_mask_infrared
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.training.pretraining import PretrainingConfig, pretrain, read_training_frames

PARTS = Path(__file__).parent / ".parts" / "real_plants"
ALLOWED_FALSE = (0.5, 1.0, 2.0, 4.0, 8.0)
"""False hotspots a frame at which the found ones are reported."""
PICTURES_A_PLANT = 3
FOLDS = 4
"""Groups of plants that are left out together: stricter than one at a time, and half as long."""
Look = Callable[[NDArray[np.float32]], FrameFindings]


def look_with_base(network: BaseNetwork, values: NDArray[np.float32]) -> FrameFindings:
    """Return what the base model sees."""
    view = view_frame(network, values)
    return FrameFindings(view.boxes_xywh_px, view.scores, view.panel_mask, view.pv_module_short_px)


def look_by_segmentation(values: NDArray[np.float32]) -> FrameFindings:
    """Return what the physical segmentation finds; its score is a hotspot's maximum in spreads of the panels."""
    mask = panel_mask_infrared(values)
    short_px = pv_module_short_px(values, mask)
    if short_px is None:
        return FrameFindings(np.zeros((0, 4)), np.zeros(0), mask, None)
    excess = excess_temperature(values, mask, False)
    module = PvModulePx.from_short_side(short_px)
    hotspots = find_hotspots(excess, mask, module, radiometric=False)
    boxes = np.asarray([hotspot.box_xywh_px for hotspot in hotspots], np.float64).reshape(-1, 4)
    scores = np.asarray([hotspot.max_excess_sigma for hotspot in hotspots], np.float64)
    return FrameFindings(boxes, scores, mask, short_px)


def look_for_contrast(values: NDArray[np.float32]) -> FrameFindings:
    """Return regions that stand out from their surroundings by three spreads, inside the same panels."""
    mask = panel_mask_infrared(values)
    contrast = values - cv2.GaussianBlur(values, (0, 0), 15)
    spread = float(contrast[mask].std()) if mask.any() else 1.0
    hot = ((contrast > 3 * spread) & mask).astype(np.uint8)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(hot)
    peaks = [float(contrast[regions == n].max()) / spread for n in range(1, count)]
    boxes = stats[1:, :4].astype(np.float64).reshape(-1, 4)
    order = np.argsort(-np.asarray(peaks), kind="stable")
    return FrameFindings(boxes[order], np.asarray(peaks)[order], mask, None)


def train_without(
    plants: DrawnPlants, fold: Sequence[str], config: PretrainingConfig, imagenet: Path | None
) -> BaseNetwork:
    """Return a base model trained on all plants but those of a fold; it is kept, and trained once."""
    name = "+".join(fold)
    kept = PARTS / f"{name}.safetensors"
    wanted = {"config": config.model_dump(mode="json"), "imagenet": imagenet is not None}
    if kept.exists():
        network, card = load_base(kept)
        if card == wanted:
            return network
    started = time.perf_counter()

    def report(step: int, losses: Mapping[str, float]) -> None:
        seconds = time.perf_counter() - started
        print(
            f"without {name}: step {step}, {seconds:.0f} s, loss {sum(losses.values()):.2f}",
            flush=True,
        )

    network = pretrain(
        read_training_frames(plants, fold),
        config,
        PARTS / f"{name}-{config.steps}-{config.seed}",
        imagenet_weights=imagenet,
        on_checkpoint=report,
    )
    save_base(network, wanted, kept)
    return load_base(kept)[0]


def score_plant(plants: DrawnPlants, plant: str, look: Look) -> tuple[list[FrameScore], float]:
    """Return the score of each frame of a plant, and the seconds a frame took to look at."""
    scores, seconds = [], 0.0
    for frame in plants.frames:
        if frame.site == plant:
            values = read_picture_values(plants.folder / frame.file)
            started = time.perf_counter()
            found = look(values)
            seconds += time.perf_counter() - started
            scores.append(score_frame(frame, found))
            if len(scores) <= PICTURES_A_PLANT:
                draw_frame(values, frame, found, PARTS / "pictures" / f"{plant}_{len(scores)}.jpg")
    return scores, seconds / max(len(scores), 1)


def summarize_arm(by_plant: Mapping[str, list[FrameScore]]) -> dict[str, object]:
    """Return an arm's curve over all frames, and each plant at one false hotspot a frame over all of them."""
    everything = [score for scores in by_plant.values() for score in scores]
    curve = {}
    for allowed in ALLOWED_FALSE:
        at = summarize(everything, threshold_at(everything, allowed))
        curve[f"{allowed:g}"] = round(at.found_pct or 0.0, 1)
    whole = summarize(everything, 0.0)
    threshold = threshold_at(everything, 1.0)
    return {
        "found_pct_at_false_a_frame": curve,
        "found_pct_without_threshold": round(whole.found_pct or 0.0, 1),
        "false_a_frame_without_threshold": round(whole.false_a_frame, 2),
        "mask_iou_median": round(whole.mask_iou_median or 0.0, 3),
        "width_right_pct": round(whole.width_right_pct or 0.0, 1),
        "plants_at_one_false_a_frame": {
            plant: {
                k: v if v is None else round(v, 3)
                for k, v in asdict(summarize(s, threshold)).items()
            }
            for plant, s in by_plant.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    real = os.environ.get("DD_LIVM_REAL_DATA")
    parser.add_argument("--data", type=Path, default=Path(real) / "plants" if real else None)
    parser.add_argument("--imagenet", type=Path, help="efficientnet-lite0-57934424.pth")
    parser.add_argument("--steps", type=int, default=PretrainingConfig().steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="folds to train, by several processes")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name a folder with --data, or set DD_LIVM_REAL_DATA")
    PARTS.mkdir(parents=True, exist_ok=True)
    plants = read_drawn_plants(arguments.data)
    config = PretrainingConfig(steps=arguments.steps, torch_threads=arguments.threads)
    folds = [plants.plants[number::FOLDS] for number in range(FOLDS)]
    if arguments.only is not None:
        for number in arguments.only:
            train_without(plants, folds[number], config, arguments.imagenet)
        return
    arms: dict[str, dict[str, list[FrameScore]]] = {}
    seconds: dict[str, float] = {}
    rivals: dict[str, Look] = {
        "local contrast": look_for_contrast,
        "segmentation by PV module": look_by_segmentation,
    }
    for plant, fold in [(name, group) for group in folds for name in group]:
        network = train_without(plants, fold, config, arguments.imagenet)
        torch.set_num_threads(arguments.threads)
        for name, look in {**rivals, "base model": partial(look_with_base, network)}.items():
            scores, taken = score_plant(plants, plant, look)
            arms.setdefault(name, {})[plant] = scores
            seconds[name] = max(seconds.get(name, 0.0), taken)
        print(f"{plant}: scored", flush=True)
    results = {name: summarize_arm(by_plant) for name, by_plant in arms.items()}
    base = results["base model"]
    write_result(
        "real_plants",
        seeds=[config.seed],
        figures={
            "found_pct_at_1_false": base["found_pct_at_false_a_frame"]["1"],  # type: ignore[index]
            "found_pct_at_4_false": base["found_pct_at_false_a_frame"]["4"],  # type: ignore[index]
            "mask_iou_median": base["mask_iou_median"],  # type: ignore[dict-item]
            "width_right_pct": base["width_right_pct"],  # type: ignore[dict-item]
            "seconds_a_frame": round(seconds["base model"], 2),
        },
        arms=results,
    )
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
