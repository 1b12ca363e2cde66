export * from './layers.js';
export * from './backbone.js';
export * from './backbones.js';
export * from './multitask.js';
