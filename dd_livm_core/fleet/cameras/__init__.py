"""Cameras of a simulated drone: geometry (`views`), `flight`, `sensors`, files as drones write them (`file_writers`)."""
