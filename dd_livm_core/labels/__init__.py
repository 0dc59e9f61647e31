"""Labels of one image: boxes over the infrared frame with a defect class and, where known, a hotspot shape.

Ways in: `coco.read_labels` and `coco.write_labels` for the project's own files, `label_sets.read_label_set` for
what labelling tools write, `reconciliation.reconcile` for labels drawn on both images of a pair.
"""
