export { compileForward, pooledName, textureName, type ForwardSpec } from './forward.js';
export { inPixels, type Prepared } from './frame.js';
export { compileObjective } from './objective.js';
export type { ObjectiveSpec, PixelInput, Side, Term, WeightedTerm } from './spec.js';
