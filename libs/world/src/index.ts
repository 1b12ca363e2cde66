// A small world for tests: a store in a folder of its own with a dataset and an untrained network.
export { openWorld, type World } from './world.js';
