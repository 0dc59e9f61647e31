"""Simulated stations with physical ground truth; nothing in the core imports them.

Ways in: `profile_files.load_profile` reads what a station is, `missions.writing.write_fleet` renders stations into
``data/``. `plausibility` refuses profiles of stations that cannot be.
"""
