"""Labels come from a threshold on the noise-free excess temperature, and from nothing else."""

import numpy as np

from dd_livm_core.fleet.missions.mission import RenderedPair, SimulatedMission
from dd_livm_core.fleet.missions.truth import THRESHOLD_K, true_hotspots

MODULE_PX = (36.0, 60.0)


def frame(*blocks: tuple[int, int, int, int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    excess = np.zeros((512, 640), np.float32)
    owner = np.full((512, 640), -1, np.int32)
    for number, (x, y, w, h, kelvin) in enumerate(blocks):
        excess[y : y + h, x : x + w] = kelvin
        owner[y : y + h, x : x + w] = number
    return excess, owner, np.arange(len(blocks), dtype=np.int32)


def test_the_box_spans_the_pixels_above_the_threshold() -> None:
    (hotspot,) = true_hotspots(*frame((100, 200, 12, 60, 5.0)), MODULE_PX)
    assert hotspot.box_xywh_px == (100.0, 200.0, 12.0, 60.0)
    assert hotspot.area_px == 720
    assert hotspot.hotspot_shape == "stripe"


def test_shapes_follow_from_size_and_proportion() -> None:
    cases = {
        "point": (100, 100, 6, 6, 20.0),
        "stripe": (200, 100, 12, 60, 5.0),
        "block": (300, 100, 36, 60, 5.0),
    }
    for shape, block in cases.items():
        (hotspot,) = true_hotspots(*frame(block), MODULE_PX)
        assert hotspot.hotspot_shape == shape


def test_a_ragged_area_is_a_patch() -> None:
    excess, owner, defects = frame((400, 100, 34, 34, 5.0))
    excess[100:134, 400:434] *= np.tri(34)
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX)
    assert hotspot.hotspot_shape == "patch"


def test_a_rotated_stripe_is_a_stripe() -> None:
    y, x = np.mgrid[:512, :640]
    turn = np.radians(35)
    along = (x - 300) * np.cos(turn) + (y - 250) * np.sin(turn)
    across = -(x - 300) * np.sin(turn) + (y - 250) * np.cos(turn)
    inside = (np.abs(along) < 6) & (np.abs(across) < 30)
    owner = np.where(inside, 0, -1).astype(np.int32)
    excess = (inside * 5.0).astype(np.float32)
    defects = np.zeros(1, np.int32)
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX)
    assert hotspot.hotspot_shape == "stripe"


def test_what_stays_under_the_threshold_or_out_of_sight_has_no_label() -> None:
    weak = frame((100, 100, 30, 30, THRESHOLD_K * 0.99))
    sliver = frame((0, 100, 3, 60, 6.0))
    assert true_hotspots(*weak, MODULE_PX) == []
    assert true_hotspots(*sliver, MODULE_PX) == []


def test_neighbours_with_different_defects_are_two_labels() -> None:
    found = true_hotspots(*frame((100, 100, 36, 60, 5.0), (136, 100, 12, 60, 5.0)), MODULE_PX)
    assert [h.defect for h in found] == [0, 1]


def test_each_pv_module_of_an_open_string_is_a_label_of_one_defect() -> None:
    excess, owner, _ = frame((100, 100, 36, 60, 5.0), (136, 100, 36, 60, 5.0))
    found = true_hotspots(excess, owner, np.array([7, 7], np.int32), MODULE_PX)
    assert [(h.defect, h.hotspot_shape) for h in found] == [(7, "block")] * 2
    assert [h.box_xywh_px[2] for h in found] == [36.0, 36.0]


def test_rendered_labels_cover_all_heat_and_lie_on_panels(mission: SimulatedMission) -> None:
    seen = 0
    for index in range(4):
        pair = mission.render(index)
        covered = np.zeros((512, 640), bool)
        for hotspot in pair.hotspots:
            x, y, w, h = (int(v) for v in hotspot.box_xywh_px)
            covered[y : y + h, x : x + w] = True
            part = pair.excess_k[y : y + h, x : x + w]
            assert part.max() >= THRESHOLD_K
            assert pair.panel_mask[y : y + h, x : x + w].mean() > 0.5
        hot = pair.excess_k >= THRESHOLD_K
        assert (hot & ~covered).sum() <= 0.02 * hot.sum() + 60
        seen += len(pair.hotspots)
    assert seen > 0


def test_heat_lifts_the_temperature_by_about_the_excess(pair: RenderedPair) -> None:
    hot = pair.excess_k > 3
    near = (pair.excess_k < 0.2) & pair.panel_mask
    if hot.sum() > 30:
        lift = pair.temperature_c[hot].mean() - np.median(pair.temperature_c[near])
        assert 0.5 * pair.excess_k[hot].mean() < lift < 1.3 * pair.excess_k[hot].mean()


def test_heat_under_a_leaf_is_not_labelled_and_does_not_part_a_hotspot() -> None:
    excess, owner, defects = frame((100, 200, 12, 60, 5.0))
    excess[228:231, 100:112] = -8.0
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX)
    assert hotspot.box_xywh_px == (100.0, 200.0, 12.0, 60.0)
    assert hotspot.area_px == 720 - 36
