/**
 * Sessions on a network between two steps of its training. BatchNormalization runs in evaluation mode, so no sample's
 * result depends on its neighbours; weights are fed from the training's own state, so that no step opens them anew.
 */
import type { AttackBatch } from '@facet/adversary';
import { compileForward, compileObjective, type ForwardSpec, type ObjectiveSpec } from '@facet/onnx';
import type { TrainedGraph } from '../../training-tasks.js';
import { sessions } from '../models.js';
import { targetFeeds } from '../pass.js';
import { f32, type Session, type Values } from '../sessions.js';
import { openTraining } from '../trained-graph.js';

/** The training's state as the inputs of a graph. */
export type Feeds = Readonly<Record<string, Values>>;

/** The network over `pixels`: its own input transform is part of the file already. */
const INPUT = { name: 'pixels', swapRedBlue: false, scale: [1, 1, 1], offset: [0, 0, 0] } as const;

const sessionKey = (task: TrainedGraph, ...what: readonly unknown[]): string =>
  JSON.stringify(['inner', task.id, ...what]);

export function forwardSession(
  task: TrainedGraph,
  wanted: Omit<ForwardSpec, 'input' | 'fed'>,
): Promise<Session> {
  const { prepared, fed } = openTraining(task);
  return sessions.get(sessionKey(task, wanted), 'fed', () =>
    compileForward(prepared, { ...wanted, input: INPUT, fed }),
  );
}

export function objectiveSession(
  task: TrainedGraph,
  key: readonly unknown[],
  spec: ObjectiveSpec,
): Promise<Session> {
  const { prepared, fed } = openTraining(task);
  return sessions.get(sessionKey(task, ...key), 'fed', () =>
    compileObjective(prepared, { ...spec, input: INPUT, fed }),
  );
}

export const imageDims = ({ spec }: TrainedGraph, n: number): number[] => [n, 3, spec.height, spec.width];

/** Gradients by one session with the state already laid out. */
export const slopeOf =
  (task: TrainedGraph, session: Session, state: Feeds) =>
  async (batch: AttackBatch): Promise<Float32Array> => {
    const pixels = f32(imageDims(task, batch.n), batch.pixels);
    const { gradient } = await session.run({ ...state, pixels, ...targetFeeds(batch) });
    return gradient;
  };

let lastFit = -1;

/** Sessions hold their priors as constants; those of earlier fits are not coming back. */
export async function forgetOldFits(fit: number): Promise<void> {
  if (fit === lastFit) return;
  lastFit = fit;
  await sessions.drop((key) => key.includes('"with-prior"') && !key.includes(`"fit-${fit}"`));
}
