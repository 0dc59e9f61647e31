"""One simulated station: its land, its rows of PV modules, what covers them and what is broken.

Way in: `station.Station`. `layout` places PV modules, `ground` and `land` draw what lies between them, `faces` and
`surfaces` how they look, `defects` what is broken, `look_alikes` what only seems so.
"""
