"""Reads what cameras write: pixels, temperatures and metadata, each file decoded once and never trusted.

Ways in: `radiometry.read_infrared` and `radiometry.read_visible` read one image, `metadata.read_metadata` says
where, when and how it was taken. `tiff`, `flir` and `dji` hold one way of storing temperatures each.
"""
