"""Cameras of a simulated drone: geometry (`rig`), `flight`, `sensors`, files as drones write them (`file_writers`)."""
