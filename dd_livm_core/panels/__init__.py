"""Panels of PV modules in an infrared frame: where they are, how they repeat, and what is normal for them.

=================  =======================================================================
`mask`             which pixels are panels
`frame_direction`  direction of the PV modules' frames, and the image turned upright
`lattice`          direction and period in which PV modules repeat
`pv_module_px`     both sides of a PV module in pixels
`module_map`       which pixel belongs to which PV module
`baseline`         temperature of the healthy panel, row by row
`excess`           how much warmer than the healthy panel every panel pixel is
`module_level`     temperature of one PV module where it is healthy
=================  =======================================================================
"""
