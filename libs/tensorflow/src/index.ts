export * from './constants.js';
export * from './execute.js';
export * from './gradient.js';
export * from './native/load.js';
export * from './oracle.js';
export { TensorFlowThread } from './training/thread.js';
export * from './training/trainer.js';
export * from './training/training-graph.js';
export type { TF, TfTensor } from './tf.js';
