"""Rasters: drawing on a tile (`canvas`), windows and pasting (`raster`), large surfaces in blocks (`mosaic`)."""
