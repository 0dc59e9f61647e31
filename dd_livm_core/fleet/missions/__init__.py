"""Simulated missions: rendered pairs, their truth, and how both come onto the disk.

Ways in: `writing.write_fleet` renders stations into ``data/``, `mission.SimulatedMission` renders one pair at a
time, `truth_files.read_correspondences` reads the truth back.
"""
