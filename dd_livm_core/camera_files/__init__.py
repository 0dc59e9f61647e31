"""Reads what cameras write: pixels, temperatures and metadata; every file may be broken or hostile.

Ways in: `radiometry.read_infrared` and `radiometry.read_visible` read one image, `metadata.read_metadata` says
where, when and how it was taken. `tiff`, `flir` and `dji` read one way of storing temperatures each.
"""
