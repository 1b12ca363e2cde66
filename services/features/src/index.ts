// Semantic features, their priors and the frozen decision threshold, per model and dataset.
export {};
