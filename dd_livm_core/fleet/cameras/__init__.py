"""Cameras of a simulated drone: geometry (`views`), `flight`, `sensors`, and the files they write (`file_writers`)."""
