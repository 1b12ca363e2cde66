/** Scores of a network between two epochs of its training, clean and under the direct attack of its recipe. */
import { budgetOf, innerSteps, objectiveOf, perturb, scoresOf } from '@facet/adversary';
import type { Scores } from '@facet/learning';
import type { ScoreTask } from '../../training-tasks.js';
import { f32 } from '../sessions.js';
import { openTraining, stateFeeds } from '../trained-graph.js';
import { forwardSession, imageDims, objectiveSession, slopeOf } from './sessions.js';

/** Samples that are scored at a time. */
const BATCH = 32;

export async function score(task: ScoreTask): Promise<Scores> {
  const { layout } = openTraining(task);
  const state = stateFeeds(layout, task.state);
  const { attacked, search, norm } = task.network;
  const { output } = attacked;
  const n = task.labels.length;
  const size = task.pixels.length / n;
  const { attack } = task;
  const forward = await forwardSession(task, { outputs: [output.name] });
  const scoresAt = async (pixels: Float32Array, count: number): Promise<Float64Array> => {
    const results = await forward.run({ ...state, pixels: f32(imageDims(task, count), pixels) });
    return scoresOf(output, results[output.name], count);
  };
  const clean = new Float64Array(n);
  const under = new Float64Array(n);
  for (let from = 0; from < n; from += BATCH) {
    const count = Math.min(BATCH, n - from);
    const pixels = task.pixels.slice(from * size, (from + count) * size);
    clean.set(await scoresAt(pixels, count), from);
    if (attack === undefined) continue;
    const session = await objectiveSession(
      task,
      ['direct', null],
      objectiveOf(attacked, undefined, 'direct'),
    );
    const hard = await perturb(
      { n: count, pixels, labels: task.labels.slice(from, from + count), targets: new Map() },
      {
        ...innerSteps(search),
        budget: budgetOf({ norm, epsilon: attack.epsilon }),
        seed: attack.seed,
        keys: Array.from({ length: count }, (_, i) => attack.first + from + i),
        gradient: slopeOf(task, session, state),
      },
    );
    under.set(await scoresAt(hard, count), from);
  }
  return attack === undefined ? { clean } : { clean, attacked: under };
}
