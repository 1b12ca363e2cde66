/**
 * An exponential moving average of the weights beside the weights themselves (Polyak and Juditsky, 1992): smoother,
 * and often a point better than the last step's. The decay rises as min(decay, (1 + step) / (10 + step)), so that the
 * initial weights are soon forgotten.
 */
import type { TrainerState } from '../trainer.js';
import { memoryOf, type Optimiser } from './optimiser.js';

const AVERAGE = 'average';

/** @param decay share of the old average that stays in every step, in [0,1) */
export const averaged = (inner: Optimiser, decay: number): Optimiser => ({
  memory: [...inner.memory, AVERAGE],
  initial: (memory, weight) =>
    memory === AVERAGE ? Float32Array.from(weight) : inner.initial(memory, weight),
  update(update, options) {
    inner.update(update, options);
    const { nextWeight, memory, nextMemory } = update;
    const [old, next] = [memory.at(-1)!, nextMemory.at(-1)!];
    const kept = Math.min(decay, (1 + options.step) / (10 + options.step));
    for (let i = 0; i < nextWeight.length; i++) next[i] = kept * old[i] + (1 - kept) * nextWeight[i];
  },
});

/** The state with averaged weights in the place of the last ones, where there are some. */
export const withAverages = (state: TrainerState): TrainerState =>
  new Map([...state].map(([name, tensor]) => [name, state.get(memoryOf(AVERAGE, name)) ?? tensor]));
