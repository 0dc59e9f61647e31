"""Cameras of a simulated drone: geometry (`rig`), flight, sensors, and files as the makers write them."""
