"""Hotspots of an infrared frame: which pixels, which outline, which shape.

Way in: `segmentation.find_hotspots`. `outlines` groups hot pixels, `shapes` names an outline.
"""
