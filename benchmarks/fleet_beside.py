"""Real pictures beside simulated ones, at full size: ``python -m benchmarks.fleet_beside FOLDER``.

``DD_LIVM_REAL_DATA`` names the folder that holds ``pv_pairs`` (and, where there, ``radiometric``).
Writes ``FOLDER/index.html`` with its pictures. Real pictures may not be passed on: the folder must
lie outside the repository.
"""

import argparse
import os
from pathlib import Path

import cv2
import numpy as np

from benchmarks.fleet_looks import grey, on_infrared_grid
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import bundled_profiles, load_profile

SEED = 47
REPOSITORY = Path(__file__).parents[1]
Picture = tuple[str, np.ndarray, np.ndarray | None]
"""Name, infrared in grey, and visible on the infrared grid where there is one."""


def real_pictures(root: Path, number: int) -> list[Picture]:
    """Read every n-th real pair, and the infrared frames that have no visible one."""
    paths = sorted((root / "pv_pairs" / "T").glob("*_T.JPG"))
    if not paths:
        todo = "Set DD_LIVM_REAL_DATA to the folder that holds pv_pairs."
        raise InputError("pv_pairs/T/*_T.JPG", "none", root, todo)
    found: list[Picture] = []
    for path in paths[:: max(1, len(paths) // number)][:number]:
        visible = root / "pv_pairs" / "V" / path.name.replace("_T.", "_V.")
        found.append((path.stem, cv2.imread(str(path), 0), cv2.imread(str(visible))))
    for path in sorted((root / "radiometric").glob("*/**/*.JPG")):
        if path.parent.name in ("RJPG", "h20t_chile") and not path.stem.endswith("_Z"):
            values = read_infrared(path).values
            low, high = np.percentile(values, [0.5, 99.8])
            shown = np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
            found.append((path.stem, shown.astype(np.uint8), None))
    return found


def simulated_pictures(profiles: list[Profile]) -> list[Picture]:
    """Render two pairs of each station."""
    found: list[Picture] = []
    for profile in profiles:
        mission = SimulatedMission(profile, 0, 24, SEED)
        for index in (5, 15):
            pair = mission.render(index)
            name = f"{profile.site_id} {pair.pair_id}"
            found.append((name, grey(pair), on_infrared_grid(pair)[..., ::-1]))
    return found


def write_page(folder: Path, sides: dict[str, list[Picture]]) -> Path:
    """Write both sides as columns of one page."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = []
    for side, pictures in sides.items():
        shown = [f"<h2>{side}</h2>"]
        for number, (name, *both) in enumerate(pictures):
            for kind, image in zip(("infrared", "visible"), both, strict=True):
                if image is not None:
                    file = f"{side}_{number:02d}_{kind}.png"
                    cv2.imwrite(str(folder / file), image)
                    shown.append(
                        f'<figure><img src="{file}"><figcaption>{name}</figcaption></figure>'
                    )
        columns.append(f"<div>{''.join(shown)}</div>")
    style = "body{display:flex;gap:1em;font-family:sans-serif}figure{margin:0 0 1em}"
    page = folder / "index.html"
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><title>Real beside simulated</title>'
        f"<style>{style}</style>{''.join(columns)}",
        encoding="utf-8",
    )
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--station", type=Path, action="append", help="a profile; default: all nine"
    )
    parser.add_argument("--real", type=int, default=18, help="how many real pairs")
    wanted = parser.parse_args()
    if wanted.folder.resolve().is_relative_to(REPOSITORY):
        raise SystemExit(f"{wanted.folder}: real pictures must stay out of the repository.")
    root = os.environ.get("DD_LIVM_REAL_DATA")
    if not root:
        raise SystemExit("Set DD_LIVM_REAL_DATA to the folder that holds pv_pairs.")
    profiles = [load_profile(p) for p in wanted.station or []] or bundled_profiles()
    sides = {
        "real": real_pictures(Path(root), wanted.real),
        "simulated": simulated_pictures(profiles),
    }
    print(write_page(wanted.folder, sides))


if __name__ == "__main__":
    main()
