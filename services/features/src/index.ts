// Semantic features, their priors and the frozen decision threshold, per model and dataset.
export { FEATURES_SERVICE } from './declaration.js';
export { type ExtractDependencies, extractFeatures, type ExtractRequest } from './extract.js';
export { featuresHandler } from './handler.js';
