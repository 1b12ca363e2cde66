// The GradientOracle and Trainer ports on ONNX Runtime, in worker threads.
export * from './engine.js';
export * from './inspection.js';
export {
  type AttackSource,
  type FacetProbe,
  type ModelFile,
  type ModelSource,
  probeTensor,
  share,
} from './model-source.js';
export * from './session-options.js';
export { machineMemoryBytes, type Provider, settingsOf } from './settings.js';
export { openEngine } from './open-engine.js';
export * from './provider.js';
export * from './tasks.js';
export type * from './training-tasks.js';
export * from './trainer.js';
export type { VettingOptions } from './vetting.js';
