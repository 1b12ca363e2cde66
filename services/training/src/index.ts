// Multitask training; publishes the network as ONNX.
export { type Backend, backendWish, openBackend } from './backend.js';
export { TRAINING_SERVICE } from './declaration.js';
export { trainingHandlers } from './handler.js';
export { runTraining, type TrainContext, type TrainDependencies } from './train.js';
