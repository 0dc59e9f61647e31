"""Writes and reads the truth of rendered pairs: tables of geometry and hotspots, arrays per pair."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.fleet.cameras.views import Array, Camera, View, similarity
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair

Row = dict[str, object]
_GRID_STEPS_PX = (20, 10, 5, 2)
"""Spacing of corresponding points in infrared pixels; the first that gives `_ENOUGH_POINTS` is taken."""
_ENOUGH_POINTS = 50
_ZERO_C_K = 273.15


def geometry_row(pair: RenderedPair) -> Row:
    """Return a pair's geometry, one row of ``truth.parquet``.

    ``h00`` to ``h22`` map infrared to visible pixels. Scale, rotation and offset are that map's at the
    infrared centre; the offset counts from the centre of the visible frame. With lens distortion the
    homography is only the best fit, with ``homography_residual_px`` as its largest error; both cameras
    are stored whole, so that ``read_correspondences`` maps exactly.
    """
    infrared, visible = pair.exposure.infrared, pair.exposure.visible
    middle = infrared.camera.centre_px
    scale, rotation = similarity(pair.homography, middle)
    x, y, w = pair.homography @ np.array([*middle, 1.0])
    row: Row = {
        "pair_id": pair.pair_id,
        "scale": scale,
        "rotation_deg": rotation,
        "offset_x_px": float(x / w - (visible.camera.width_px - 1) / 2),
        "offset_y_px": float(y / w - (visible.camera.height_px - 1) / 2),
        "homography_residual_px": pair.homography_residual_px,
        "module_along_px": pair.module_px[0],
        "module_across_px": pair.module_px[1],
        "warmth": pair.warmth,
    }
    row |= {f"h{i}{j}": float(pair.homography[i, j]) for i in range(3) for j in range(3)}
    for name, view in (("infrared", infrared), ("visible", visible)):
        camera = view.camera
        row[f"{name}_width_px"], row[f"{name}_height_px"] = camera.width_px, camera.height_px
        row[f"{name}_focal_px"], row[f"{name}_k1"] = camera.focal_px, camera.k1
        row[f"{name}_cx_px"], row[f"{name}_cy_px"] = camera.centre_px
        row[f"{name}_position_m"] = view.position_m.tolist()
        row[f"{name}_plane_homography"] = view.homography.ravel().tolist()
    return row


def hotspot_rows(pair: RenderedPair) -> list[Row]:
    """Return a pair's hotspots, rows of ``hotspots.parquet``.

    ``defect`` is the same number in every pair and mission of a site; ``source`` says what heats it;
    ``along_m`` and ``across_m`` are the middle of its box on the plane of the PV modules.
    """
    rows: list[Row] = []
    for hotspot in pair.hotspots:
        x, y, w, h = hotspot.box_xywh_px
        place = pair.exposure.infrared.plane(np.array([[x + (w - 1) / 2, y + (h - 1) / 2]]))[0]
        defect_class, source = pair.sources[hotspot.defect]
        rows.append(
            {
                "pair_id": pair.pair_id,
                "defect": hotspot.defect,
                "defect_class": defect_class,
                "source": source,
                "hotspot_shape": hotspot.hotspot_shape,
                "x_px": x,
                "y_px": y,
                "width_px": w,
                "height_px": h,
                "area_px": hotspot.area_px,
                "mean_excess_k": hotspot.mean_excess_k,
                "max_excess_k": hotspot.max_excess_k,
                "along_m": float(place[0]),
                "across_m": float(place[1]),
            }
        )
    return rows


def write_truth_arrays(path: Path, pair: RenderedPair) -> None:
    """Write a pair's panel mask, excess and temperature to an ``.npz`` that ``read_truth_arrays`` reads."""
    arrays: dict[str, NDArray[Any]] = {
        "panel_mask": np.packbits(pair.panel_mask, axis=1),
        "excess_k": pair.excess_k.astype(np.float16),
        "temperature_centikelvin": ((pair.temperature_c + _ZERO_C_K) * 100 + 0.5).astype(np.uint16),
    }
    # As np.savez_compressed, but at the fastest level: a third of the time, nearly the same size.
    with (
        atomic(path) as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_truth_arrays(
    path: Path,
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Read a pair's arrays of truth.

    Returns
    -------
    panel_mask
        (h, w) bool.
    excess_k
        (h, w) float32: what the defects add, as the camera resolves it, rounded to 0.1 %.
    temperature_c
        (h, w) float32: noise-free apparent temperature, rounded to 0.01 K.
    """
    with np.load(path, allow_pickle=False) as stored:
        excess = stored["excess_k"].astype(np.float32)
        mask = np.unpackbits(stored["panel_mask"], axis=1, count=excess.shape[1]).astype(bool)
        temperature = stored["temperature_centikelvin"].astype(np.float32) / 100 - _ZERO_C_K
    return mask, excess, temperature


def read_views(truth_dir: Path, pair_id: str) -> tuple[View, View]:
    """Read the views of a pair's two cameras.

    ``visible.project(infrared.plane(points))`` is the exact map of infrared pixels on PV modules
    to visible pixels, lenses included; all in pixels with centres at integers.

    Parameters
    ----------
    truth_dir
        ``<truth_root>/<site>/<mission>``.
    pair_id
        Name of the pair, as ``DJI_0001``.

    Returns
    -------
    infrared, visible

    Raises
    ------
    InputError
        No such table, or no such pair in it.
    """
    path = truth_dir / "truth.parquet"
    todo = "Render the fleet with truth_root, and name a pair of this mission."
    try:
        rows = pd.read_parquet(path, filters=[("pair_id", "==", pair_id)]).to_dict("records")
    except OSError as error:
        raise InputError("a table of truth", str(error), path, todo) from error
    if len(rows) != 1:
        raise InputError("one row of this pair", f"{len(rows)} of {pair_id}", path, todo)
    infrared, visible = (_view_from_row(rows[0], name) for name in ("infrared", "visible"))
    return infrared, visible


def _view_from_row(row: dict[Any, Any], name: str) -> View:
    """Return the view of the ``infrared`` or ``visible`` camera."""
    camera = Camera(
        width_px=int(row[f"{name}_width_px"]),
        height_px=int(row[f"{name}_height_px"]),
        focal_px=float(row[f"{name}_focal_px"]),
        centre_px=(float(row[f"{name}_cx_px"]), float(row[f"{name}_cy_px"])),
        k1=float(row[f"{name}_k1"]),
    )
    homography = np.asarray(row[f"{name}_plane_homography"], dtype=np.float64).reshape(3, 3)
    return View(camera, homography, np.asarray(row[f"{name}_position_m"], dtype=np.float64))


def read_correspondences(truth_dir: Path, pair_id: str) -> tuple[Array, Array]:
    """Read corresponding points of both images on PV modules, exact with lens distortion, too.

    The points lie on a regular grid of infrared pixels, 20 px apart (less if the frame shows few PV
    modules), on PV modules that the visible frame shows, too.

    Parameters
    ----------
    truth_dir
        ``<truth_root>/<site>/<mission>``.
    pair_id
        Name of the pair, as ``DJI_0001``.

    Returns
    -------
    infrared_xy_px, visible_xy_px
        (n, 2) float64 each; pixel centres at integers. At least 50 points if PV modules fill a
        thousandth of the frame, none if it shows none.

    Raises
    ------
    InputError
        No truth of this pair.
    """
    infrared, visible = read_views(truth_dir, pair_id)
    mask, _, _ = read_truth_arrays(truth_dir / f"{pair_id}.npz")
    limit = (visible.camera.width_px - 1, visible.camera.height_px - 1)
    seen, target = np.empty((0, 2)), np.empty((0, 2))
    for step in _GRID_STEPS_PX:
        y, x = np.mgrid[step // 2 : mask.shape[0] : step, step // 2 : mask.shape[1] : step]
        seen = np.column_stack([x[mask[y, x]], y[mask[y, x]]]).astype(np.float64)
        target = visible.project(infrared.plane(seen))
        inside = ((target >= 0) & (target <= limit)).all(axis=1)
        seen, target = seen[inside], target[inside]
        if len(seen) >= _ENOUGH_POINTS:
            break
    return seen, target


def write_table(path: Path, rows: list[Row]) -> None:
    """Write rows as Parquet, atomically."""
    with atomic(path) as unfinished:
        pd.DataFrame(rows).to_parquet(unfinished)
