"""Judgement: which sites stay unseen, how well a detector does on every site, and whether it serves.

Ways in: `site_plan.plan_sites`, `scores.score_site`, `promotion.decide`.
"""
