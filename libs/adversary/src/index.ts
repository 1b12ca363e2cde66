// Attacks on a facet of a model: what is increased, within which budget, by which search. No runtime, no I/O.
export * from './decision.js';
export * from './memory.js';
export * from './objective/facet-model.js';
export * from './objective/objective.js';
export * from './ports.js';
export * from './prior/accuracy.js';
export * from './prior/control.js';
export * from './prior/moments.js';
export * from './prior/prior.js';
export * from './prior/probe.js';
export * from './search/perturb.js';
export * from './search/presets.js';
export * from './search/search.js';
export * from './threat/budget.js';
export * from './threat/change.js';
export * from './threat/quantise.js';
