"""Segmentation and measures of hotspots, also at the border and on bad input."""

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.hotspots.segmentation import FlightFacts, at_reference_irradiance, find_hotspots
from dd_livm_core.panels.excess import excess_temperature
from tests.panel_rows import PV_MODULE, WIDTH, add, row_of_panels


class TestFind:
    @pytest.mark.parametrize("shape", ["point", "stripe", "block"])
    @pytest.mark.parametrize("place", [(0, 0), (0, 4), (1, 7)])
    def test_finds_and_names_one_hotspot(self, shape, place):
        image, mask = row_of_panels()
        add(image, *place, shape)
        (found,) = find_hotspots(excess_temperature(image, mask, True), mask, PV_MODULE)
        assert found.shape == shape
        assert found.max_excess_k == pytest.approx(8.5, abs=0.6)
        assert found.at_1000_missing == "the mission holds no irradiance"
        assert found.area_px == found.mask.sum()

    def test_box_spans_whole_pixels(self):
        excess = np.zeros((60, 60), np.float32)
        excess[12:17, 20:28] = 9
        (found,) = find_hotspots(excess, np.ones(excess.shape, bool), PV_MODULE)
        assert found.box_xywh_px == (20.0, 12.0, 8.0, 5.0)

    def test_area_in_square_metres_and_kelvin_at_1000(self):
        excess = np.zeros((60, 60), np.float32)
        excess[12:17, 20:28] = 6
        (found,) = find_hotspots(
            excess,
            np.ones(excess.shape, bool),
            PV_MODULE,
            flight=FlightFacts(pv_module_width_m=1.2, irradiance_w_m2=750.0),
        )
        assert found.area_m2 == pytest.approx(40 * 0.04**2)
        assert found.max_excess_at_1000_k == pytest.approx(8.0)

    @pytest.mark.parametrize(
        "corner", [(0, 0), (0, 53), (53, 0), (53, 53)], ids=["nw", "ne", "sw", "se"]
    )
    def test_at_the_border_of_the_frame(self, corner):
        excess = np.zeros((60, 60), np.float32)
        excess[corner[0] : corner[0] + 7, corner[1] : corner[1] + 7] = 9
        (found,) = find_hotspots(excess, np.ones(excess.shape, bool), PV_MODULE)
        assert found.box_xywh_px == (corner[1], corner[0], 7.0, 7.0)

    def test_without_radiometry_only_relative_units(self):
        image, mask = row_of_panels()
        add(image, 0, 3, "stripe")
        excess = excess_temperature(4 * image, mask, False)
        (found,) = find_hotspots(
            excess, mask, PV_MODULE, radiometric=False, flight=FlightFacts(irradiance_w_m2=900.0)
        )
        assert found.shape == "stripe"
        assert found.mean_excess_k is found.max_excess_k is found.max_excess_at_1000_k is None
        assert found.at_1000_missing == "the camera stores no temperature"
        assert found.mean_excess_sigma > 5

    def test_noise_alone_holds_no_hotspot(self):
        image, mask = row_of_panels(noise=0.4)
        assert find_hotspots(excess_temperature(image, mask, True), mask, PV_MODULE) == []

    @pytest.mark.parametrize("fill", [0.0, np.nan, -3.0])
    def test_constant_images_hold_none(self, fill):
        excess, mask = np.full((50, 50), fill, np.float32), np.ones((50, 50), bool)
        assert find_hotspots(excess, mask, PV_MODULE) == []
        assert find_hotspots(excess, mask, PV_MODULE, radiometric=False) == []
        assert find_hotspots(excess, ~mask, PV_MODULE) == []

    def test_shapes_must_agree(self):
        with pytest.raises(InputError, match="same shape"):
            find_hotspots(np.zeros((5, 4), np.float32), np.ones((5, 5), bool), PV_MODULE)

    def test_night_has_no_value_at_1000(self):
        assert at_reference_irradiance(3.0, 0.0) == (None, "no sun: irradiance is 0 W/m²")
        assert at_reference_irradiance(3.0, 500.0, 2.0) == (12.0, None)

    def test_frames_inside_panels_that_hang_together_are_no_leaf(self):
        image, mask = row_of_panels()
        add(image, 0, 1, "point")
        add(image, 0, 5, "point")
        excess = excess_temperature(image, mask, True)
        found = find_hotspots(excess, mask, PV_MODULE, by_pv_module=False)
        assert [hotspot.shape for hotspot in found] == ["point", "point"]
        assert all(hotspot.box_xywh_px[2] < WIDTH for hotspot in found)

    def test_limits_are_refused_when_unknown(self):
        with pytest.raises(ValueError, match="Extra inputs"):
            HotspotLimits(treshold_k=2)  # type: ignore[call-arg]
