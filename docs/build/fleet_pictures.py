"""Draw the pictures of docs/fleet.md: ``python -m docs.build.fleet_pictures [--output FOLDER]``.

A gallery of the nine stations, examples of each defect class, and levels and spectra of the simulated side beside the
real one. Without ``DD_LIVM_REAL_DATA`` the real curves are missing.
"""

import argparse
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from benchmarks.fleet_looks import (
    BINS,
    SEED,
    Pictures,
    bring_onto_infrared_grid,
    make_grey,
    read_sides,
    summarise,
)
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.records import DEFECT_CLASSES

PICTURES = Path(__file__).parents[1] / "pictures"


def draw_gallery(path: Path) -> None:
    """Draw the pair with most hotspots out of eight per station: infrared with labels, visible."""
    tiles = []
    for profile in bundled_profiles():
        mission = SimulatedMission(profile, 0, 24, SEED)
        pair = max((mission.render(i) for i in range(0, 24, 3)), key=lambda p: len(p.hotspots))
        shown = cv2.cvtColor(make_grey(pair), cv2.COLOR_GRAY2RGB)
        for hotspot in pair.hotspots:
            x, y, w, h = (int(v) for v in hotspot.box_xywh_px)
            cv2.rectangle(shown, (x - 2, y - 2), (x + w + 1, y + h + 1), (255, 60, 30), 2)
        both = np.hstack([shown, bring_onto_infrared_grid(pair)])
        text = f"simulated: {profile.site_id}, {profile.mounting}"
        cv2.rectangle(both, (0, 0), (460, 34), (0, 0, 0), -1)
        cv2.putText(
            both, text, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 1, cv2.LINE_AA
        )
        tiles.append(cv2.resize(both, (640, 256), interpolation=cv2.INTER_AREA))
    grid = np.vstack([np.hstack(tiles[k : k + 3]) for k in range(0, 9, 3)])
    cv2.imwrite(str(path), grid[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


def draw_defects(path: Path) -> None:
    """Draw one PV module per class and column: colour above, excess temperature below."""
    (profile,) = (p for p in bundled_profiles() if p.site_id == "gobi_west")
    mission = SimulatedMission(profile, 0, 4, SEED)
    station = mission.station
    face = station.faces[0]
    columns = []
    for defect_class in DEFECT_CLASSES:
        for seed in range(4):
            look = station.workshop.make(defect_class, np.random.default_rng(seed))
            pad = station.workshop.pad
            colour = face.astype(np.float32)
            paint = look.paint[pad:-pad, pad:-pad].astype(np.float32)
            colour = colour * (1 - paint[..., 3:] / 255) + paint[..., :3] * paint[..., 3:] / 255
            heat = cv2.applyColorMap(
                np.clip(look.excess_k * 12, 0, 255).astype(np.uint8), cv2.COLORMAP_INFERNO
            )
            column = np.vstack([colour.astype(np.uint8), heat[..., ::-1]])
            columns.append(
                cv2.copyMakeBorder(
                    column, 2, 2, 2, 2 if seed < 3 else 14, cv2.BORDER_CONSTANT, value=(255,) * 3
                )
            )
    cv2.imwrite(str(path), np.hstack(columns)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])


def draw_statistics(path: Path, sides: dict[str, Pictures]) -> None:
    """Draw histograms of grey levels and colours, and both spectra, a curve per side."""
    numbers = {side: summarise(pictures) for side, pictures in sides.items()}
    figure, axes = plt.subplots(1, 4, figsize=(16, 3.4), layout="constrained")
    middle = np.sqrt(BINS[1:] * BINS[:-1])
    for side, pictures in sides.items():
        levels, edges = np.histogram(np.stack(pictures["infrared"]), 64, (0, 255), density=True)
        axes[0].plot(edges[:-1], levels, label=side)
        for channel, colour in enumerate(("r", "g", "b")):
            levels, edges = np.histogram(
                np.stack(pictures["visible"])[..., channel], 64, (0, 255), density=True
            )
            axes[1].plot(edges[:-1], levels, colour, ls="-" if side == "real" else "--", lw=1)
        axes[2].semilogx(middle, numbers[side]["infrared_spectrum_decades"], label=side)
        axes[3].semilogx(middle, numbers[side]["visible_spectrum_decades"], label=side)
    titles = (
        "infrared grey levels",
        "visible levels (real solid, simulated dashed)",
        "infrared spectrum",
        "visible spectrum",
    )
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=10)
    axes[2].set_xlabel("cycles per pixel")
    axes[3].set_xlabel("cycles per pixel")
    axes[2].set_ylabel("decades under the lowest ring")
    axes[0].legend()
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=PICTURES)
    output: Path = parser.parse_args().output
    mpl.use("Agg")
    output.mkdir(parents=True, exist_ok=True)
    draw_gallery(output / "fleet_gallery.jpg")
    draw_defects(output / "fleet_defects.jpg")
    draw_statistics(output / "fleet_statistics.png", read_sides())


if __name__ == "__main__":
    main()
