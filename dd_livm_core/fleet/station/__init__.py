"""One simulated station: its land, its rows of PV modules, their defects and look-alikes.

Way in: `station.Station`. `layout` places PV modules and defects, `land` maps the ground and `ground` draws it with the
textures of `surfaces`, `faces` draws healthy PV modules, `defects` defective ones, `look_alikes` what only seems one.
"""
