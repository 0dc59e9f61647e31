"""Rasters: drawing over one PV module (`canvas`), windows and pasting (`raster`), layers drawn in blocks (`mosaic`)."""
