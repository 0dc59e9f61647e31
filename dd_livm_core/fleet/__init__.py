"""Simulated stations with physical ground truth."""

from dd_livm_core.fleet.profile import Profile, bundled_profiles, load_profile
from dd_livm_core.fleet.writing import FLEET_SIZES, write_fleet

__all__ = ["FLEET_SIZES", "Profile", "bundled_profiles", "load_profile", "write_fleet"]
