export * from './trainer.js';
export * from './parts.js';
export * from './schedule.js';
export * from './samples.js';
export * from './augment.js';
export * from './batches.js';
export * from './losses.js';
export * from './train.js';
