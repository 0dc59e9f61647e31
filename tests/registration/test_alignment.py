"""Registration of simulated fields under known transforms: the answer moves as the input moves."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.panels.mask import panel_mask_infrared
from dd_livm_core.registration.alignment import align_pairs, resample_visible
from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.frame_sizes import FrameSizes
from dd_livm_core.registration.placement import Alignment
from dd_livm_core.registration.rig import RigGeometry
from tests.synthetic_pairs import SHAPE, make_pair, photograph, render_field


def error_px(matrix: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return how far the worst corner of the infrared frame is placed from the truth, infrared px."""
    corners = np.array([[0, 0, 1], [319, 0, 1], [0, 255, 1], [319, 255, 1]], float)
    return float(np.abs((corners @ (matrix - truth).T)[:, :2]).max() / 1.25)


MIDDLE_OFFSETS = [(0.0, 0.0), (6.0, -4.0), (-3.3, 2.6), (2.2, 4.1), (-5.0, -1.7)]


def make_mission(offsets: list[tuple[float, float]] | None = None) -> list[PairView]:
    """Return pairs of other places of a simulated field, each with its own offset."""
    return [
        replace(make_pair(offset, seed=number)[0], pair_id=f"p{number}")
        for number, offset in enumerate(offsets or MIDDLE_OFFSETS)
    ]


def align(views: list[PairView]) -> list[Alignment]:
    found, _ = align_pairs(lambda view: view, views)
    return [a for a in found if isinstance(a, Alignment)]


@cache
def aligned_mission() -> list[Alignment]:
    """Return the plain mission's alignments, which several tests compare with."""
    return align(make_mission())


@cache
def aligned_pair() -> Alignment:
    """Return the alignment of one plain pair by itself."""
    return align([make_pair()[0]])[0]


def test_a_mission_is_placed_where_it_was_photographed() -> None:
    for number, alignment in enumerate(aligned_mission()):
        assert alignment.status == "aligned"
        assert error_px(alignment.matrix, make_pair(MIDDLE_OFFSETS[number], seed=number)[1]) < 0.5
        assert alignment.scale == pytest.approx(1.25, rel=5e-3)
        assert alignment.rotation_deg == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("shift", [(6.0, -4.0), (-11.3, 7.6)])
def test_the_answer_moves_with_the_input(shift: tuple[float, float]) -> None:
    still, (moved,) = aligned_pair(), align([make_pair(shift)[0]])
    assert np.allclose(np.subtract(moved.offset_px, still.offset_px), shift, atol=0.35)


def test_a_rig_turned_by_several_degrees_is_found() -> None:
    turned = []
    for view in make_mission()[:3]:
        spin = cv2.getRotationMatrix2D((239.5, 239.5), -7.0, 1.0)
        turned.append(replace(view, visible=cv2.warpAffine(view.visible, spin, (480, 480))))
    for found in align(turned):
        assert found.status == "aligned"
        assert found.rotation_deg == pytest.approx(7.5, abs=0.3)


def test_scaling_the_infrared_image_scales_the_answer() -> None:
    view, _ = make_pair()
    larger = cv2.resize(view.infrared, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    plain, (scaled,) = aligned_pair(), align([replace(view, infrared=larger)])
    assert scaled.scale == pytest.approx(plain.scale / 1.5, rel=5e-3)
    assert np.allclose(scaled.offset_px, plain.offset_px, atol=0.6)


def test_palette_and_sign_of_contrast_do_not_matter() -> None:
    (inverted,) = align([make_pair(invert=True)[0]])
    assert error_px(aligned_pair().matrix, inverted.matrix) < 0.1


@pytest.mark.parametrize("palette", [cv2.COLORMAP_INFERNO, cv2.COLORMAP_JET])
def test_colour_palettes_do_not_matter(palette: int) -> None:
    """As colour palettes become grey, brightness is bent (inferno) or no longer grows with temperature (rainbow)."""
    view, _ = make_pair()
    coloured = cv2.applyColorMap(np.clip(view.infrared, 0, 255).astype(np.uint8), palette)
    grey = cv2.cvtColor(coloured, cv2.COLOR_BGR2GRAY).astype(np.float32)
    (found,) = align([replace(view, infrared=grey)])
    assert error_px(aligned_pair().matrix, found.matrix) < 0.5


def test_hotspots_do_not_move_the_answer() -> None:
    view, _ = make_pair()
    hot = view.infrared.copy()
    hot[100:112, 150:170] += 300
    (with_hotspot,), without = align([replace(view, infrared=hot)]), aligned_pair()
    assert np.linalg.norm(np.subtract(with_hotspot.offset_px, without.offset_px)) / 1.25 < 0.1


def test_hotspots_taken_away_do_not_move_a_mission() -> None:
    views = []
    for view in make_mission():
        hot = view.infrared.copy()
        hot[60:75, 200:215] += 200
        hot[140:170, 40:48] += 80
        views.append(replace(view, infrared=hot))
    for with_hotspots, without in zip(align(views), aligned_mission(), strict=True):
        moved = np.subtract(with_hotspots.offset_px, without.offset_px)
        assert np.linalg.norm(moved) / 1.25 < 0.1


def test_the_order_of_a_mission_does_not_matter() -> None:
    for one, other in zip(aligned_mission(), align(make_mission()[::-1])[::-1], strict=True):
        assert one.pair_id == other.pair_id
        assert one.status == other.status
        assert np.allclose(one.matrix, other.matrix, rtol=0, atol=1e-6)


def test_a_blank_image_fails_with_its_reason() -> None:
    views = make_mission()
    blank = replace(views[2], infrared=np.full(SHAPE, 20.0, np.float32))
    dark = replace(views[3], visible=np.zeros_like(views[3].visible))
    found = align([*views[:2], blank, dark, views[4]])
    assert [a.status for a in found] == ["aligned", "aligned", "failed", "failed", "aligned"]
    assert "infrared image is blank" in found[2].reason
    assert "visible image is blank" in found[3].reason


def test_a_wrong_pair_is_found() -> None:
    views = make_mission(MIDDLE_OFFSETS * 2)
    views[3] = replace(views[3], visible=views[6].visible)
    found = align(views)
    assert found[3].status == "failed"
    assert found[3].reason
    assert found[3].offset_px == (0.0, 0.0)
    assert [a.status for n, a in enumerate(found) if n != 3] == ["aligned"] * 9


def test_rows_without_an_end_are_ambiguous_until_an_earlier_mission_tells() -> None:
    """One endless row, looked at alone and in a mission: nothing tells one place from the next."""
    field = np.full((640, 640), 60.0, np.float32)
    field[260:330] = 150
    field[260:330, ::34] = 90
    visible_to_field = np.array([[1.0, 0, 80], [0, 1.0, 60], [0, 0, 1]])
    infrared = photograph(field, visible_to_field @ make_pair()[1], SHAPE[::-1])
    visible = np.repeat(photograph(field, visible_to_field, (480, 480))[..., None], 3, 2)
    view = PairView("p", infrared, visible.astype(np.uint8), False)
    mission = [replace(view, pair_id=f"p{n}") for n in range(4)]
    for views in ([view], mission):
        for found in align(views):
            assert found.status in ("ambiguous", "failed")
            assert found.confidence < 0.8
            assert found.reason
    before = aligned_mission()
    earlier = EarlierMission(
        RigGeometry(before[0].scale, before[0].rotation_deg),
        FrameSizes(SHAPE, (480, 480)),
        np.array([a.offset_px for a in before]),
    )
    for result in align_pairs(lambda view: view, mission, earlier=earlier)[0]:
        assert isinstance(result, Alignment)
        assert result.status in ("aligned", "consensus")
        assert error_px(result.matrix, make_pair()[1]) < 2


def test_noise_instead_of_an_image_fails() -> None:
    rng = np.random.default_rng(5)
    views = make_mission()
    noise = rng.normal(20, 0.05, SHAPE).astype(np.float32)
    found = align([*views[:3], replace(views[3], infrared=noise)])
    assert found[3].status == "failed"
    assert found[3].confidence == 0


def test_half_of_a_mission_from_elsewhere_is_found() -> None:
    """Every other pair gets a visible image of a station whose rows run across."""
    views = make_mission(MIDDLE_OFFSETS * 2)
    others = [np.rot90(make_pair(seed=40 + n)[0].visible).copy() for n in range(5)]
    for n in range(5):
        views[2 * n + 1] = replace(views[2 * n + 1], visible=others[n])
    found = align(views)
    assert [a.status for a in found[::2]] == ["aligned"] * 5
    assert all(a.status in ("failed", "ambiguous") for a in found[1::2])


@pytest.mark.parametrize("shift", [(8.5, -3.0), (-2.0, 10.5)])
def test_a_pair_some_way_off_the_mission_s_offset_is_placed(shift: tuple[float, float]) -> None:
    """A gust or a late shutter moves one pair by 7 and by 8.5 infrared px."""
    rng = np.random.default_rng(0)
    views = make_mission([tuple(rng.normal(0, 0.8, 2)) for _ in range(11)])  # type: ignore[misc]
    moved, truth = make_pair(shift, seed=20)
    found = align([*views, replace(moved, pair_id="moved")])[-1]
    assert found.status in ("aligned", "consensus"), found.reason
    assert error_px(found.matrix, truth) < 0.5


@pytest.mark.parametrize("odd", [0, 3])
def test_a_frame_of_another_size_decides_for_itself_alone(odd: int) -> None:
    views = make_mission()
    view = views[odd]
    cropped = replace(view, infrared=view.infrared[20:240, 10:310])
    larger = replace(view, infrared=cv2.resize(view.infrared, None, fx=2, fy=2))
    for other, corner, factor in ((cropped, (10, 20), 1), (larger, (0, 0), 2)):
        mixed = [*views]
        mixed[odd] = other
        found = align(mixed)
        assert [a.status for n, a in enumerate(found) if n != odd] == ["aligned"] * 4
        assert found[odd].status in ("aligned", "ambiguous")
        into = np.diag([factor, factor, 1.0])
        into[:2, 2] = (factor - 1) / 2 - np.array(corner)
        truth = make_pair(MIDDLE_OFFSETS[odd], seed=odd)[1]
        assert error_px(found[odd].matrix @ into, truth) < 0.8


def test_an_unreadable_pair_keeps_its_error() -> None:
    def read(view: PairView) -> PairView:
        if view.pair_id == "p1":
            raise InputError("an image", "none", "p1", "fly again")
        return view

    found, _ = align_pairs(read, make_mission())
    assert isinstance(found[1], InputError)
    assert sum(isinstance(a, Alignment) for a in found) == 4


def test_resampling_by_the_true_matrix_shows_the_infrared_scene() -> None:
    view, truth = make_pair()
    same = replace(aligned_pair(), matrix=truth, radial=0.0)
    brought = resample_visible(view.visible, same, SHAPE)
    inner = (slice(20, -20), slice(20, -20))
    seen_again = brought[..., 0].astype(float)
    assert np.corrcoef(seen_again[inner].ravel(), view.infrared[inner].ravel())[0, 1] > 0.99


def test_panels_are_found_among_rough_ground() -> None:
    field = render_field()
    mask = panel_mask_infrared(field)
    truth = (
        cv2.morphologyEx(
            (np.abs(field - 150) < 8).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9))
        )
        > 0
    )
    assert (mask & truth).sum() / (mask | truth).sum() > 0.75


def test_no_panels_give_an_empty_mask() -> None:
    assert not panel_mask_infrared(np.full((120, 160), 25.0, np.float32)).any()
