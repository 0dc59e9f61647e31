"""Renders the pairs of one simulated mission with their truth, in any order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.cameras.flight import (
    INFRARED_PX,
    SECONDS_BETWEEN_PAIRS,
    Flight,
    draw_uniform,
)
from dd_livm_core.fleet.cameras.sensors import (
    InfraredSampler,
    blur_reach_px,
    expose,
    infrared_noise,
    to_grey,
    view_window,
)
from dd_livm_core.fleet.cameras.views import View, infrared_to_visible
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.sources_in_frame import sources_in_frame
from dd_livm_core.fleet.missions.truth import THRESHOLD_K, true_hotspots
from dd_livm_core.fleet.physics.clouds import Clouds
from dd_livm_core.fleet.physics.sun import mirrored_light, sun_over
from dd_livm_core.fleet.physics.thermal import (
    Conditions,
    apparent_c,
    glass_emissivity,
    physical_losses_w_m2k,
)
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import mix, to_byte
from dd_livm_core.fleet.station.layout import generator, lay_out, retilt
from dd_livm_core.fleet.station.look_alikes import draw_bird
from dd_livm_core.fleet.station.station import Station
from dd_livm_core.heat.laminate import HEAT_CAPACITY_J_M2K
from dd_livm_core.records import DEFECT_CLASSES, Mission

_GLINT_DEG, _SHEEN_DEG = 1.5, 20.0
"""Widths of the mirrored sun, scattered by the glass, and of the bright sky around it: chosen."""
_GLINT_OPACITY, _SHEEN_OPACITY, _GLINT_GREY = 0.75, 0.2, 250
_EXPOSURE_EXPONENT = 0.5
"""Half of what clouds take (in stops), the camera's automatic exposure gives back: chosen."""
_DRIFT_PERIOD_PAIRS = 23
"""Of the infrared camera's slow drift, per radian: chosen, about 7 min a wave."""


@dataclass(frozen=True)
class _ThermalScene:
    """The scene at the infrared pixels before emissivity, (512, 640) each.

    ``excess_k`` is the part of ``surface_c`` that defects add; ``owner`` is the pixel's place in
    ``Station.faulty``, or -1.
    """

    surface_c: NDArray[np.float32]
    excess_k: NDArray[np.float32]
    panel_mask: NDArray[np.bool_]
    owner: NDArray[np.int32]


def _turn_trackers(profile: Profile, mission_id: str, seed: int) -> Profile:
    """Return the profile with its trackers at the tilt of one mission."""
    rows = profile.rows
    if rows.tracker_swing_deg == 0:
        return profile
    turned = generator(seed, profile.site_id, mission_id, "trackers").uniform(-1, 1)
    tilt_deg = float(np.clip(rows.tilt_deg + turned * rows.tracker_swing_deg, 0, 60))
    return profile.with_tilt(tilt_deg)


class SimulatedMission:
    """One flight over one station: what its pairs share, and their rendering.

    Parameters
    ----------
    profile
        The station.
    number
        Mission number, from 0.
    pairs
        How many pairs are flown.
    seed
        Of the fleet. The same seed gives the same pairs, in any order and in any process.
    """

    def __init__(self, profile: Profile, number: int, pairs: int, seed: int) -> None:
        self.number, self.seed = number, seed
        self.mission_id = f"flight{number + 1:02d}"
        station = profile
        profile = self.profile = _turn_trackers(station, self.mission_id, seed)
        rng = generator(seed, profile.site_id, self.mission_id)
        weather = profile.weather
        ambient_c = draw_uniform(weather.ambient_c, rng)
        self.conditions = Conditions(
            irradiance_w_m2=round(draw_uniform(weather.irradiance_w_m2, rng), 1),
            wind_m_s=round(draw_uniform(weather.wind_m_s, rng), 2),
            ambient_c=round(ambient_c, 1),
            sky_c=ambient_c - draw_uniform(weather.sky_below_ambient_k, rng),
        )
        azimuth = draw_uniform(weather.sun_azimuth_deg, rng)
        self._sun = sun_over(profile, draw_uniform(weather.sun_elevation_deg, rng), azimuth)
        self._haze = draw_uniform(weather.haze, rng)
        day, minute = int(rng.integers(120)), int(rng.integers(240))
        self.started_at = datetime(2025, 5, 4, 10, tzinfo=UTC) + timedelta(days=day, minutes=minute)
        self.layout = lay_out(station, seed)
        if profile.rows.tracker_swing_deg > 0:
            self.layout = retilt(self.layout, profile, seed)
        lag_s = HEAT_CAPACITY_J_M2K / physical_losses_w_m2k(profile.pv_module, self.conditions)
        passing = generator(seed, profile.site_id, self.mission_id, "clouds")
        self._clouds = Clouds(draw_uniform(weather.clouds, passing), lag_s, passing)
        self.station = Station(profile, self.layout, self.conditions, self._sun, seed)
        self.flight = Flight(profile, self.layout.size_m, pairs, rng)
        self._fixed_pattern = rng.standard_normal(INFRARED_PX[::-1], dtype=np.float32)
        self._fixed_pattern += rng.standard_normal((1, INFRARED_PX[0]), dtype=np.float32)

    def record(self) -> Mission:
        """Return the mission's record, with the mean irradiance under its clouds."""
        return Mission(
            mission_id=self.mission_id,
            site_id=self.profile.site_id,
            drone=self.profile.flight.drone,
            infrared_camera=self.profile.infrared_camera.model,
            visible_camera=self.profile.visible_camera.model,
            irradiance_w_m2=round(
                self.conditions.irradiance_w_m2 * self._clouds.mean_sunlight(), 1
            ),
            wind_m_s=self.conditions.wind_m_s,
            ambient_c=self.conditions.ambient_c,
            flight_height_m=round(self.flight.height_m, 1),
            started_at=self.started_at,
            simulated=True,
        )

    def render(self, index: int) -> RenderedPair:
        """Return pair number ``index``, from 0."""
        rng = generator(self.seed, self.profile.site_id, self.mission_id, index)
        exposure = self.flight.expose(index, rng)
        shots = self.flight.shots(index, exposure, self.started_at, rng)
        time_s = float(SECONDS_BETWEEN_PAIRS * index)
        sunlight, warmth = self._clouds.sunlight(time_s), self._clouds.warmth(time_s)
        visible = self._photograph(exposure.visible, sunlight, rng)
        infrared, camera = exposure.infrared, self.profile.infrared_camera
        scene = self._thermal_scene(infrared, sunlight, warmth)
        sky_c, emissivity = self.conditions.sky_c, self._emissivity(infrared)
        temperature = apparent_c(scene.surface_c, emissivity, sky_c)
        resolved = temperature - apparent_c(scene.surface_c - scene.excess_k, emissivity, sky_c)
        homography, residual = infrared_to_visible(infrared, exposure.visible)
        module_px = self._module_px(infrared)
        defects = self.layout.defect[self.station.faulty]
        hot = scene.owner[resolved >= THRESHOLD_K]
        sources = sources_in_frame(infrared, self.station, np.unique(hot[hot >= 0]), warmth)
        hotspots = true_hotspots(resolved, scene.owner, defects, module_px, sources)
        drift_k = camera.drift_k * float(np.sin(index / _DRIFT_PERIOD_PAIRS + self.number))
        seen = temperature + infrared_noise(camera, drift_k, self._fixed_pattern, rng)
        return RenderedPair(
            pair_id=f"DJI_{index + 1:04d}",
            infrared=seen if camera.radiometric else to_grey(seen),
            visible=visible,
            shots=shots,
            exposure=exposure,
            homography=homography,
            homography_residual_px=residual,
            panel_mask=scene.panel_mask,
            temperature_c=temperature,
            excess_k=resolved,
            hotspots=hotspots,
            module_px=module_px,
            warmth=warmth,
            sources={h.defect: self._defect_source(h.defect) for h in hotspots},
        )

    def _photograph(
        self, view: View, sunlight: float, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return the visible image, (1024, 1280, 3) RGB."""
        step, similar = self.layout.step_m, self.profile.look_alikes
        window = view_window(view, step)
        drawn, glass = self.station.draw_colour(window, view.footprint() / np.asarray(step))
        if rng.random() < similar.birds:
            draw_bird(drawn, step, self._sun, rng)
        # Maps in fixed point (1/32 raster px) halve the time.
        maps = cv2.convertMaps(*view.sampling_maps(step, (window.x, window.y)), cv2.CV_16SC2)
        image = np.asarray(cv2.remap(drawn, *maps, cv2.INTER_LINEAR), dtype=np.uint8)
        light = self._mirrored_light(
            view, ((_GLINT_OPACITY, _GLINT_DEG), (_SHEEN_OPACITY, _SHEEN_DEG))
        )
        if light is not None:
            bare = np.asarray(cv2.remap(glass, *maps, cv2.INTER_LINEAR), dtype=np.uint8)
            mirrored = to_byte(light * np.float32(sunlight))
            share = np.asarray(cv2.multiply(bare, mirrored, scale=1 / 255), dtype=np.uint8)
            image = mix(image, np.full_like(image, _GLINT_GREY), share)
        light = sunlight**_EXPOSURE_EXPONENT
        return expose(image, self.profile.visible_camera, self._haze, light, rng)

    def _thermal_scene(self, view: View, sunlight: float, warmth: float) -> _ThermalScene:
        step, blur_px = self.layout.step_m, self.profile.infrared_camera.blur_px
        margin_px = blur_reach_px(view, step, blur_px)
        window = view_window(view, step, margin_px)
        outline = view.footprint() / np.asarray(step)
        surface, mask, excess, owner = self.station.draw_thermal(window, outline, margin_px)
        sampler = InfraredSampler(view, step, window, blur_px)
        ambient_c, follows = np.float32(self.conditions.ambient_c), np.float32(warmth)
        seen_c = ambient_c + (sampler.sample(surface) - ambient_c) * follows
        glint_k = self._mirrored_light(view, ((self.profile.look_alikes.glint_k, _GLINT_DEG),))
        if glint_k is not None:
            panels = mask.astype(np.float32) * np.float32(1 / 255)
            glint_k *= np.float32(sunlight)
            seen_c = np.asarray(seen_c + glint_k * sampler.sample(panels), dtype=np.float32)
        return _ThermalScene(
            surface_c=seen_c,
            excess_k=np.zeros_like(seen_c) if excess is None else sampler.sample(excess) * follows,
            panel_mask=sampler.nearest(mask) > 0,
            owner=np.full(seen_c.shape, -1, np.int32)
            if owner is None
            else sampler.nearest(owner) - 1,
        )

    def _mirrored_light(
        self, view: View, lobes: tuple[tuple[float, float], ...]
    ) -> NDArray[np.float32] | None:
        """Return the sunlight that glass would mirror into each pixel, (h, w), or None for none anywhere."""
        tilt = self.profile.rows.tilt_deg
        light = mirrored_light(self._sun, tilt, view.position_m, view.nodes_m, lobes)
        return None if light is None else view.between_nodes(light)

    def _emissivity(self, view: View) -> NDArray[np.float32]:
        """Return the emissivity of tilted glass at each infrared pixel's angle, (512, 640)."""
        tilt = np.radians(self.profile.rows.tilt_deg)
        plane = view.nodes_m
        ray = view.position_m - np.concatenate([plane, np.zeros((*plane.shape[:2], 1))], axis=-1)
        cosine = ray @ [0.0, np.sin(tilt), np.cos(tilt)] / np.linalg.norm(ray, axis=-1)
        normal_emissivity = self.profile.infrared_camera.emissivity
        return view.between_nodes(glass_emissivity(normal_emissivity, np.clip(cosine, 0, 1)))

    def _defect_source(self, defect: int) -> tuple[str, str]:
        """Return a defect's class, and what heats it in words."""
        look = self.station.look(int(np.flatnonzero(self.layout.defect == defect)[0]))
        return DEFECT_CLASSES[self.layout.defect_class[defect]], look.source if look else ""

    def _module_px(self, infrared: View) -> tuple[float, float]:
        """Return a PV module's size along and across the row, in infrared pixels at the centre."""
        middle = np.array([infrared.camera.centre_px])
        along, up = (s / 2 for s in self.profile.module_size_m)
        arms = np.array([[-along, 0], [along, 0], [0, -up], [0, up]])
        left, right, top, bottom = infrared.project(infrared.plane(middle) + arms)
        return float(np.hypot(*(right - left))), float(np.hypot(*(bottom - top)))
