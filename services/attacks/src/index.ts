// Adversarial examples: one shard of one cell per job.
export {};
