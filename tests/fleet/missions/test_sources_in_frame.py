"""Heated cells lie in the frame where the heat is."""

import numpy as np

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.sources_in_frame import sources_in_frame
from dd_livm_core.fleet.missions.truth import THRESHOLD_K
from dd_livm_core.records import DEFECT_CLASSES


def test_cells_of_a_bypassed_substring_fill_the_box_of_its_heat(mission: SimulatedMission) -> None:
    station, layout = mission.station, mission.layout
    defects = layout.defect[station.faulty]
    bypassed = layout.defect_class[defects] == DEFECT_CLASSES.index("diode_failure")
    checked = 0
    for pair in (mission.render(index) for index in range(4)):
        boxes = {hotspot.defect: hotspot.box_xywh_px for hotspot in pair.hotspots}
        owners, view = np.flatnonzero(bypassed), pair.exposure.infrared
        for source in sources_in_frame(view, station, owners, pair.warmth):
            x, y = np.round(source.cells_px.T).astype(int)
            if min(x.min(), y.min()) < 9 or x.max() > 630 or y.max() > 502:
                continue  # cut by the border
            assert (pair.excess_k[y, x] >= THRESHOLD_K).all()
            left, top, width, height = boxes[int(defects[source.owner])]
            middle = (left + (width - 1) / 2, top + (height - 1) / 2)
            np.testing.assert_allclose(source.cells_px.mean(axis=0), middle, atol=1.0)
            cell_px = min(pair.module_px) / 6
            np.testing.assert_allclose(
                np.ptp(source.cells_px, axis=0) + cell_px, (width, height), atol=0.7 * cell_px
            )
            checked += 1
    assert checked > 0


def test_under_clouds_less_heat_shows(mission: SimulatedMission, pair: RenderedPair) -> None:
    every = np.arange(len(mission.station.faulty))
    view = pair.exposure.infrared

    def heated(warmth: float) -> int:
        sources = sources_in_frame(view, mission.station, every, warmth)
        return sum(len(source.cells_px) for source in sources)

    assert heated(1.0) > heated(0.5) > heated(0.01) == 0
