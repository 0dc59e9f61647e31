"""Simulated stations with physical ground truth; nothing in the core imports them.

Ways in: `profile.load_profile` reads what a station is, `missions.writing.write_fleet` renders stations into
``data/``. `plausibility` refuses profiles of stations that cannot be.
"""
