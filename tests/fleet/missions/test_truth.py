"""Boxes come from a threshold on the noise-free excess, shapes from what is heated, and nothing else."""

import numpy as np
import pytest

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.truth import THRESHOLD_K, SourceInFrame, true_hotspots
from dd_livm_core.records import HotspotShape

MODULE_PX = (36.0, 60.0)
CELL_PX = 6
Block = tuple[int, int, int, int, float]
Frame = tuple[np.ndarray, np.ndarray, np.ndarray]


def frame(*blocks: Block) -> Frame:
    """Draw a PV module for each block (x, y, width, height, kelvin), warm all over."""
    excess = np.zeros((512, 640), np.float32)
    owner = np.full((512, 640), -1, np.int32)
    for number, (x, y, w, h, kelvin) in enumerate(blocks):
        excess[y : y + h, x : x + w] = kelvin
        owner[y : y + h, x : x + w] = number
    return excess, owner, np.arange(len(blocks), dtype=np.int32)


def source(shape: HotspotShape, x: int, y: int, w: int, h: int, owner: int = 0) -> SourceInFrame:
    """Heat the cells of a rectangle in pixels."""
    along, down = np.arange(x, x + w, CELL_PX), np.arange(y, y + h, CELL_PX)
    corners = np.stack(np.meshgrid(along, down), axis=-1).reshape(-1, 2)
    return SourceInFrame(owner, corners + (CELL_PX - 1) / 2, shape)


def test_the_box_spans_the_pixels_above_the_threshold() -> None:
    stripe = source("stripe", 100, 200, 12, 60)
    (hotspot,) = true_hotspots(*frame((100, 200, 12, 60, 5.0)), MODULE_PX, [stripe])
    assert hotspot.box_xywh_px == (100.0, 200.0, 12.0, 60.0)
    assert hotspot.area_px == 720
    assert hotspot.hotspot_shape == "stripe"


@pytest.mark.parametrize("shape", ["point", "stripe", "block", "patch"])
def test_the_shape_is_that_of_the_cause_whatever_the_image_looks_like(shape: HotspotShape) -> None:
    scene = frame((100, 200, 12, 60, 5.0))
    (hotspot,) = true_hotspots(*scene, MODULE_PX, [source(shape, 100, 200, 12, 60)])
    assert hotspot.hotspot_shape == shape


def test_the_source_that_most_hot_cells_are_of_counts() -> None:
    excess, owner, defects = frame((100, 200, 36, 60, 0.0))
    excess[200:260, 112:124] = 5.0
    excess[206:212, 124:130] = 9.0
    sources = [source("point", 124, 206, 6, 6), source("stripe", 112, 200, 12, 60)]
    for order in (sources, sources[::-1]):
        (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, order)
        assert hotspot.hotspot_shape == "stripe"


def test_the_nearest_source_of_the_same_pv_module_counts_where_none_shows() -> None:
    excess, owner, defects = frame((100, 200, 36, 60, 0.0), (136, 200, 36, 60, 0.0))
    excess[230:236, 128:134] = 3.0
    sources = [
        source("stripe", 100, 200, 12, 60),
        source("point", 122, 228, 6, 6),
        source("block", 136, 200, 36, 60, owner=1),
    ]
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, sources)
    assert hotspot.hotspot_shape == "point"
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, sources[2:])
    assert hotspot.hotspot_shape is None


@pytest.mark.parametrize(("in_view_px", "shape"), [(48, "block"), (36, "block"), (24, None)])
def test_a_block_cut_by_the_border_stays_a_block_while_half_of_it_shows(
    in_view_px: int, shape: HotspotShape | None
) -> None:
    scene = frame((0, 100, in_view_px, 36, 5.0))
    block = source("block", in_view_px - 60, 100, 60, 36)
    (hotspot,) = true_hotspots(*scene, MODULE_PX, [block])
    assert hotspot.hotspot_shape == shape


def test_what_shows_of_a_point_is_a_point() -> None:
    scene = frame((0, 100, 10, 7, 5.0))
    point = source("point", -12, 100, 24, 6)
    (hotspot,) = true_hotspots(*scene, MODULE_PX, [point])
    assert hotspot.hotspot_shape == "point"


def test_where_leaves_leave_less_than_half_there_is_no_shape() -> None:
    excess, owner, defects = frame((100, 200, 12, 60, 5.0))
    stripe = source("stripe", 100, 200, 12, 60)
    excess[218:242, 100:112] = -8.0
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, [stripe])
    assert hotspot.hotspot_shape == "stripe"
    excess[212:248, 100:112] = -8.0
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, [stripe])
    assert hotspot.hotspot_shape is None


def test_parts_are_one_hotspot_when_they_are_near() -> None:
    for gap_px, count in ((3, 1), (9, 2)):
        excess, owner, defects = frame((100, 200, 36, 60, 5.0))
        excess[210 : 210 + gap_px, 100:136] = 0.0
        assert len(true_hotspots(excess, owner, defects, MODULE_PX, [])) == count


def test_a_cold_frame_is_no_leaf() -> None:
    """Cold beside the edge of a PV module links nothing; the same cold in its middle does."""
    for left, count in ((100, 2), (116, 1)):
        excess, owner, defects = frame((100, 200, 36, 60, 0.0))
        excess[200:210, 100:136] = excess[250:260, 100:136] = 5.0
        excess[210:250, left : left + 2] = -8.0
        assert len(true_hotspots(excess, owner, defects, MODULE_PX, [])) == count


def test_what_stays_under_the_threshold_or_out_of_sight_has_no_label() -> None:
    weak = frame((100, 100, 30, 30, THRESHOLD_K * 0.99))
    sliver = frame((0, 100, 3, 60, 6.0))
    assert true_hotspots(*weak, MODULE_PX, []) == []
    assert true_hotspots(*sliver, MODULE_PX, []) == []


def test_neighbours_with_different_defects_are_two_labels() -> None:
    found = true_hotspots(*frame((100, 100, 36, 60, 5.0), (136, 100, 12, 60, 5.0)), MODULE_PX, [])
    assert [h.defect for h in found] == [0, 1]


def test_each_pv_module_of_an_open_string_is_a_label_of_one_defect() -> None:
    excess, owner, _ = frame((100, 100, 36, 60, 5.0), (136, 100, 36, 60, 5.0))
    sources = [
        source("block", 100, 100, 36, 60, owner=0),
        source("block", 136, 100, 36, 60, owner=1),
    ]
    found = true_hotspots(excess, owner, np.array([7, 7], np.int32), MODULE_PX, sources)
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


def test_rendered_shapes_are_what_the_cause_heats(mission: SimulatedMission) -> None:
    possible = {
        "open circuit": {"block", None},
        "substring bypassed": {"stripe", "block", None},
        "resistive connection": {"point"},
    }
    seen = set()
    for index in range(4):
        pair = mission.render(index)
        for hotspot in pair.hotspots:
            cause = pair.sources[hotspot.defect][1]
            if cause in possible:
                assert hotspot.hotspot_shape in possible[cause]
                seen.add(hotspot.hotspot_shape)
    assert {"block", "stripe"} <= seen


def test_heat_lifts_the_temperature_by_about_the_excess(pair: RenderedPair) -> None:
    hot = pair.excess_k > 3
    near = (pair.excess_k < 0.2) & pair.panel_mask
    assert hot.sum() > 30
    lift = pair.temperature_c[hot].mean() - np.median(pair.temperature_c[near])
    assert 0.5 * pair.excess_k[hot].mean() < lift < 1.3 * pair.excess_k[hot].mean()


def test_heat_under_a_leaf_is_not_labelled_and_does_not_part_a_hotspot() -> None:
    excess, owner, defects = frame((100, 200, 12, 60, 5.0))
    excess[228:231, 100:112] = -8.0
    (hotspot,) = true_hotspots(excess, owner, defects, MODULE_PX, [])
    assert hotspot.box_xywh_px == (100.0, 200.0, 12.0, 60.0)
    assert hotspot.area_px == 720 - 36
