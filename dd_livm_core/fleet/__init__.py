"""Simulated stations with physical ground truth; nothing in the core imports them.

Ways in: `profile` reads what a station is, `writing.write_fleet` renders stations into ``data/``.
"""
