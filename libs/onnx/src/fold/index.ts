export { prepare, type PreparedModel, type PrepareOptions } from './prepare.js';
