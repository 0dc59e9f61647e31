"""Panels of PV modules in an infrared frame: where they are, how they repeat, and what is normal for them.

==============  ==========================================================================
`mask`          which pixels are panels
`lattice`       direction and period in which PV modules repeat
`module_map`    which pixel belongs to which PV module
`baseline`      temperature of the healthy panel, row by row
`module_level`  temperature of one PV module where it is healthy
==============  ==========================================================================
"""
