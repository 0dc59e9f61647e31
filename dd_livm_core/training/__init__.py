"""Training: batches, losses and the three stages of defect-targeted fine-tuning (DTFT).

Way in: `dtft.train_stage`. `configuration.TrainingConfig` holds everything that decides its result.
"""
