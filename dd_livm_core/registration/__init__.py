"""Registration of infrared to visible images, with no prior knowledge of the scene.

Way in: `alignment.align_pairs`. Its steps: `orientation` turns images into edge directions, `rig_search` finds the
cameras' scale and rotation, `candidates` every position where a pair fits, `consensus` the one that the mission
agrees on, `block_votes` what is left below a pixel; `rig` is the cameras' geometry.
"""
