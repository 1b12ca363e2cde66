/**
 * The loop behind FGSM, BIM and PGD: start, then step along the gradient and project. Later restarts see only the
 * samples that earlier ones did not fool, judged on the 8-bit image that would be stored.
 */
import { Random } from '@facet/random';
import { selectRows, type AttackBatch } from '../ports.js';
import { dequantise, quantise } from '../threat/quantise.js';
import type { Search, SearchContext } from './search.js';

export interface GradientDescentConfig {
  readonly name: string;
  readonly steps: number;
  readonly restarts: number;
  /** Step length over epsilon. */
  readonly relativeStep: number;
  readonly randomStart: boolean;
}

/** Applies `visit` to each sample's views of several arrays of n rows. */
function eachRow(
  n: number,
  arrays: readonly Float32Array[],
  visit: (rows: Float32Array[], i: number) => void,
): void {
  for (let i = 0; i < n; i++) {
    visit(
      arrays.map((array) => array.subarray((i * array.length) / n, ((i + 1) * array.length) / n)),
      i,
    );
  }
}

async function ascend(
  config: GradientDescentConfig,
  batch: AttackBatch,
  restart: number,
  keys: readonly string[],
  context: SearchContext,
): Promise<Float32Array> {
  const { oracle, budget, signal } = context;
  const pixels = Float32Array.from(batch.pixels);
  if (config.randomStart) {
    eachRow(batch.n, [batch.pixels, pixels], ([clean, out], i) => {
      budget.start(clean, out, new Random(context.seed, keys[i], restart));
    });
  }
  const length = config.relativeStep * budget.threat.epsilon;
  for (let step = 0; step < config.steps; step++) {
    signal?.throwIfAborted();
    const { gradient } = await oracle.gradient({ ...batch, pixels }, signal);
    eachRow(batch.n, [pixels, gradient, batch.pixels], ([row, slope, clean]) => {
      budget.step(row, slope, length);
      budget.project(row, clean);
    });
    context.onStep?.(batch.n);
  }
  return pixels;
}

export const gradientDescent =
  (config: GradientDescentConfig): Search =>
  async (batch, clean, context) => {
    const size = clean.length / batch.n;
    const found = Uint8Array.from(clean);
    let open = Array.from({ length: batch.n }, (_, i) => i);
    for (let restart = 0; restart < config.restarts && open.length > 0; restart++) {
      const part = selectRows(batch, open);
      const keys = open.map((index) => context.keys[index]);
      const pixels = await ascend(config, part, restart, keys, context);
      open.forEach((index, i) => {
        const row = pixels.subarray(i * size, (i + 1) * size);
        const cleanRow = clean.subarray(index * size, (index + 1) * size);
        found.set(quantise(row, cleanRow, context.budget.threat), index * size);
      });
      if (restart + 1 === config.restarts) break;
      const images = new Float32Array(open.length * size);
      open.forEach((index, i) => {
        dequantise(
          found.subarray(index * size, (index + 1) * size),
          images.subarray(i * size, (i + 1) * size),
        );
      });
      const scores = await context.oracle.scores(images, open.length, context.signal);
      open = open.filter((index, i) => !context.fooled(scores[i], batch.labels[index]));
    }
    return found;
  };
