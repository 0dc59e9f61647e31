"""Inspection of a mission without labels: findings, and pictures of them.

Ways in: `findings.inspect_pairs`, `pictures.detection_picture`.
"""
