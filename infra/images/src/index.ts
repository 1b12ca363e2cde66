// Container images: the step that leaves a service with nothing but what it runs on.
export { prune, type PrunedService, type PruneOptions } from './prune.js';
