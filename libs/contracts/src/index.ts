// The one vocabulary between services: what models, datasets, plans, reports and messages look like.
export * from './events.js';
export * from './features.js';
export * from './issues.js';
export * from './json-schema.js';
export * from './keys.js';
export * from './model.js';
export * from './names.js';
export * from './outcome.js';
export * from './plan.js';
export * from './report.js';
export * from './sample.js';
export * from './search.js';
export * from './study.js';
export * from './taxonomy.js';
export * from './training.js';
export * from './transfer.js';
