export * from './layers.js';
export * from './backbones/backbone.js';
export * from './backbones/index.js';
export * from './multitask.js';
export * from './initial.js';
