"""Training: batches, losses and the three stages of defect-targeted fine-tuning (DTFT).

Way in: `loop.train_stage`; `dtft` says what each stage learns, `configuration.TrainingConfig` holds everything that
decides the result.
"""
