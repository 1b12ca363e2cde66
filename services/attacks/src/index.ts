// Adversarial examples: one shard of one cell per job.
export { ATTACKS_SERVICE } from './declaration.js';
export { attacksHandler } from './handler.js';
export { type AttackDependencies, runAttack, Sources } from './run.js';
export { attackSource } from './source.js';
