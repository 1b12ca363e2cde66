/** SFA's priors of a network in training, fitted to what its features are now. */
import { fitPrior, MIN_PRIOR_SAMPLES, Moments } from '@facet/adversary';
import { LIVE, SPOOF } from '@facet/contracts';
import type { Priors } from '@facet/learning';
import { ModelError, pooledName, textureName } from '@facet/onnx';
import { TEXTURE } from '../../tasks.js';
import type { FitPriorsTask } from '../../training-tasks.js';
import { f32 } from '../sessions.js';
import { openTraining, stateFeeds } from '../trained-graph.js';
import { forwardSession, imageDims } from './sessions.js';

/** Samples of a forward pass. */
const BATCH = 32;

/** Errors: ModelError with too few samples of a class. */
export async function fitPriors(task: FitPriorsTask): Promise<Priors> {
  const { layout } = openTraining(task);
  const state = stateFeeds(layout, task.state);
  const { facets, texture } = task.network.attacked;
  const features = [...new Set(facets.map(({ feature }) => feature))];
  const session = await forwardSession(task, { outputs: [], pooled: features, texture: texture.tensor });
  const { pixels, labels } = task.samples;
  const n = labels.length;
  const live = labels.reduce((sum, label) => sum + Number(label === LIVE), 0);
  if (Math.min(live, n - live) < MIN_PRIOR_SAMPLES)
    throw new ModelError(
      'limit',
      `priors need ${MIN_PRIOR_SAMPLES} samples of each class, and ${n} drawn ones hold ${live} live and ${n - live} spoof`,
      'recipe.adversarial.priors.samples',
    );
  const size = pixels.length / n;
  const moments = new Map<string, readonly [Moments, Moments]>();
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const part = pixels.slice(from * size, (from + count) * size);
    const results = await session.run({ ...state, pixels: f32(imageDims(task, count), part) });
    for (const name of [...features.map(pooledName), textureName(texture.tensor)]) {
      const values = results[name];
      const width = values.length / count;
      const own = moments.get(name) ?? [new Moments(width), new Moments(width)];
      moments.set(name, own);
      for (let i = 0; i < count; i++) own[labels[from + i]].add(values.subarray(i * width, (i + 1) * width));
    }
  }
  const fitted = (name: string) => {
    const groups = moments.get(name)!;
    return fitPrior(groups[LIVE], groups[SPOOF]);
  };
  return new Map([
    ...facets.map(({ facet, feature }) => [facet, fitted(pooledName(feature))] as const),
    [TEXTURE, fitted(textureName(texture.tensor))] as const,
  ]);
}
