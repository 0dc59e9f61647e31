"""Simulated missions: rendered pairs and their truth, in memory and on disk.

Ways in: `writing.write_fleet` writes missions into ``data/``, `mission.SimulatedMission` renders one pair at a
time, `truth_files.read_correspondences` reads corresponding points of both images back.
"""
