"""Aligned missions: pairs resampled to the infrared grid, stored, and read back.

Ways in: `mission.align_mission` writes a mission's aligned store, `store.read_aligned_mission` opens it,
`mission_labels.take_labels` stores labels of one or both images with a mission.
"""
