"""Base model: what every infrared frame shows, before any label of its site is known: panels, PV modules, hotspots.

It is trained once, over many plants (`pretraining.pretrain`), ships with the package, and judges any frame
(`frame_view.view_frame`).
"""
