"""Where the heated cells of faulty PV modules lie in an infrared frame."""

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.cameras.views import View
from dd_livm_core.fleet.missions.truth import THRESHOLD_K, SourceInFrame
from dd_livm_core.fleet.station.heat_sources import heat_sources
from dd_livm_core.fleet.station.station import Station

Array = NDArray[np.float64]


def sources_in_frame(
    view: View, station: Station, owners: NDArray[np.int32], warmth: float
) -> list[SourceInFrame]:
    """Return the heat sources of faulty PV modules.

    Parameters
    ----------
    view
        The infrared camera.
    station
        What stands below it.
    owners
        (n,) int32: numbers of PV modules among ``station.faulty``.
    warmth
        Share of the steady heat that clouds leave; a cell must show the threshold in spite of them.
    """
    least_w_m2 = THRESHOLD_K * station.sheet.losses_w_m2k / max(warmth, 1e-6)
    found: list[SourceInFrame] = []
    for owner in owners.tolist():
        index = int(station.faulty[owner])
        look = station.look(index)
        if look is None:
            continue
        cells_m = _cell_centres_m(station, index)
        for source in heat_sources(look.heat_w_m2, least_w_m2, station.workshop.grid):
            cells_px = view.project(cells_m[source.cells])
            found.append(SourceInFrame(owner, cells_px, source.shape))
    return found


def _cell_centres_m(station: Station, index: int) -> Array:
    """Return the middle of each cell (rows, columns, 2) on the plane of the PV modules, in metres."""
    layout, frame_px = station.layout, station.workshop.frame_px
    rows, columns = station.sheet.cells
    x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    laminate_px = np.array(layout.tile_px) - 2 * frame_px
    # The raster's first pixel reaches from -0.5 to 0.5.
    raster_px = layout.corner_px[index] - 0.5 + frame_px + np.stack([x, y], axis=-1) * laminate_px
    return np.asarray(raster_px * np.array(layout.step_m))
