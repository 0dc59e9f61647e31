"""Training: batches, losses and the three stages of defect-targeted fine-tuning (DTFT).

Way in: `loop.train_stage`; `dtft` says what each stage learns. `configuration.TrainingConfig`, the aligned missions and
the weights to start from decide the result.
"""
