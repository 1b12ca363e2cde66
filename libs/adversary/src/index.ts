// Objectives, threat models, priors and searches over the GradientOracle port; no I/O.
export {};
