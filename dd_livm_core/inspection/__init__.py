"""Inspection of a mission without labels: findings, their record, and pictures of them.

Ways in: `findings.inspect_pairs`, `record.inspection_record`, `pair_pictures.write_pair_pictures`.
"""
