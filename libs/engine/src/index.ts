// The GradientOracle and Trainer ports on ONNX Runtime, in worker threads.
export * from './engine.js';
export * from './inspection.js';
export * from './model-source.js';
export * from './tasks.js';
export * from './trainer.js';
