"""One small station for all tests of the fleet."""

from pathlib import Path

import pytest

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import load_profile

PROFILE = """
site_id = "test_plain"
city = "Testow"
mounting = "fixed_tilt"
latitude_deg = -35.3
longitude_deg = -71.5
missions = 1

[pv_module]
technology = "poly"
width_m = 1.0
height_m = 1.7
cells_across = 6
cells_along = 10

[rows]
count = 4
length_m = 26
pitch_m = 7.0
tilt_deg = 20
modules_up = 2
modules_per_table = 10

[terrain]
surface = "grass"
second_surface = "gravel"
rgb = [110, 116, 70]
second_rgb = [170, 160, 150]
heating_k = 6
second_heating_k = 15

[infrared_camera]
focal_px = 900

[visible_camera]
focal_px = 1260

[flight]
height_m = [24, 26]

[defects]
share = 0.08
"""


@pytest.fixture(scope="session")
def profile_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profiles") / "test_plain.toml"
    path.write_text(PROFILE)
    return path


@pytest.fixture(scope="session")
def profile(profile_path: Path) -> Profile:
    return load_profile(profile_path)


@pytest.fixture(scope="session")
def mission(profile: Profile) -> SimulatedMission:
    return SimulatedMission(profile, 0, 4, seed=5)


@pytest.fixture(scope="session")
def pair(mission: SimulatedMission) -> RenderedPair:
    return mission.render(1)
