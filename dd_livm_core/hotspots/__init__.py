"""Hotspots of an infrared frame: which pixels, which outline, which shape.

Way in: `segmentation.find_hotspots`. `outlines` groups hot pixels, `shapes` names an outline, `limits` holds what
counts as a hotspot and where one shape ends.
"""
