// Seeded randomness: the same numbers on every machine, named by a seed and a path.
export { Random } from './random.js';
