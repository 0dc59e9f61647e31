"""Judgement: which sites stay unseen, how good a detector is there, and whether it serves.

Ways in: `site_plan.plan_sites`, `scores.score_site`, `promotion.decide`.
"""
