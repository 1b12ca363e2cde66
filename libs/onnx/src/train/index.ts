export * from './spec.js';
export * from './compile.js';
export * from './state.js';
export { type Parameter, parametersOf, type Parameters, type Weight } from './parameters.js';
export { layInBlocks, NCHWC } from './blocks/index.js';
