"""Registration of infrared to visible images, with no prior knowledge of the scene.

Way in: `alignment.align_pairs`. Its steps: `orientation` turns images into edge directions, `rig_search` finds the
cameras' scale and rotation, `frame_match` where a frame fits at those, `candidates` every position where a pair fits,
`consensus` the one that the pair takes. `frame_sizes` parts pairs by the sizes of their frames, `earlier_mission` is
what an earlier flight of the same drone tells.
Positions are weighed by `offset_mixture`, the mission's offsets, and `mixture_choice`, which one of these is right.
`block_votes` refines below a pixel, `rig_fit` turns votes into the rig and each pair's place, `placement` decides each
pair's status; `rig` is the geometry.
"""
