/** What an attack asks of a model, by the sessions of this worker: scores, and gradients or steps of a cell's objective. */
import {
  type AttackBatch,
  type AttackedFacet,
  type GradientOracle,
  lossOf,
  objectiveOf,
  type ObjectiveGradient,
  scoresOf,
  type SearchContext,
  selectRows,
  type StepOracle,
  stepsBySigns,
} from '@facet/adversary';
import { needsGradient } from '@facet/contracts';
import { compileObjective, ModelError } from '@facet/onnx';
import { type AttackSource, identityOf } from '../model-source.js';
import type { AttackTask } from '../tasks.js';
import { decide, modelOf, sessions } from './models.js';
import { f32, i64, type Session, type Values } from './sessions.js';

/**
 * Products of one row take another kernel than those of several, with other last bits (seen in ConvNeXt's gradient; of
 * 2 samples to 9 all eight networks that were tried gave the same bits). So the last sample of a batch that others have
 * left is computed twice, and its result does not depend on who stood beside it.
 */
const LEAST_ROWS = 2;

/** What an objective's graph reads of a batch beside its pixels. */
const targetFeeds = ({ n, labels, targets }: AttackBatch): Record<string, Values> => ({
  label: i64([n], labels),
  ...Object.fromEntries(
    [...targets].map(([name, { type, dims, data }]): [string, Values] => [
      name,
      type === 'int64' ? i64([n, ...dims], data) : f32([n, ...dims], data),
    ]),
  ),
});

const repeated = (row: Float32Array): Float32Array => {
  const rows = new Float32Array(LEAST_ROWS * row.length);
  for (let i = 0; i < LEAST_ROWS; i++) rows.set(row, i * row.length);
  return rows;
};

/** The gradient session of a cell's objective as the port that searches know. */
const gradientOf =
  ({ manifest }: AttackSource, session: Session, leastRows: number): GradientOracle['gradient'] =>
  async (given: AttackBatch): Promise<ObjectiveGradient> => {
    const { height, width } = manifest.input;
    const batch = given.n < leastRows ? selectRows(given, new Array<number>(leastRows).fill(0)) : given;
    const { value, gradient, decision } = await session.run({
      pixels: f32([batch.n, 3, height, width], batch.pixels),
      ...targetFeeds(batch),
    });
    return {
      value: value.subarray(0, given.n),
      gradient: gradient.subarray(0, (given.n * gradient.length) / batch.n),
      scores: scoresOf(manifest.output, decision, batch.n).subarray(0, given.n),
    };
  };

/** The same of a session that steps by signs. */
const stepOf = ({ manifest }: AttackSource, session: Session, leastRows: number): StepOracle['step'] => {
  const { height, width } = manifest.input;
  const step: StepOracle['step'] = async (batch, { length, low, high, next }) => {
    if (batch.n < leastRows) {
      const twice = selectRows(batch, new Array<number>(LEAST_ROWS).fill(0));
      const moved = new Float32Array(LEAST_ROWS * next.length);
      const scores = await step(twice, { length, low: repeated(low), high: repeated(high), next: moved });
      next.set(moved.subarray(0, next.length));
      return scores.subarray(0, batch.n);
    }
    const rows = (data: Float32Array): Values => f32([batch.n, 3, height, width], data);
    const { decision } = await session.run(
      {
        ...{ pixels: rows(batch.pixels), low: rows(low), high: rows(high) },
        length: f32([], Float32Array.of(length)),
        ...targetFeeds(batch),
      },
      { next: rows(next) },
    );
    return scoresOf(manifest.output, decision, batch.n);
  };
  return step;
};

function objectiveSession(
  task: AttackTask,
  facet: AttackedFacet | undefined,
  step: boolean,
): Promise<Session> {
  const { source, objective } = task;
  const loss = lossOf(task.search);
  const kind = step ? 'step' : 'gradient';
  const key = JSON.stringify([kind, identityOf(source, source.fit), task.facet, objective, loss]);
  return sessions.get(key, 'constant', () => {
    const { prepared } = modelOf(source, source.fit, source.probes);
    return compileObjective(prepared, { ...objectiveOf(source.attacked, facet, objective, loss), step });
  });
}

/** Scores always; steps or gradients where the search needs them, or can use them and the model has them. */
export async function oracleOf(
  task: AttackTask,
  facet: AttackedFacet | undefined,
): Promise<SearchContext['oracle']> {
  const { source, search, threat } = task;
  const scores: GradientOracle['scores'] = (pixels, n) => decide(source, pixels, n);
  if (!needsGradient(search) && search.name !== 'auto') return { scores };
  const step = stepsBySigns(search, threat.norm);
  const leastRows = Math.min(LEAST_ROWS, task.batch);
  try {
    const session = await objectiveSession(task, facet, step);
    if (step) return { scores, step: stepOf(source, session, leastRows) };
    return { scores, gradient: gradientOf(source, session, leastRows) };
  } catch (error) {
    if (needsGradient(search) || !(error instanceof ModelError && error.fault === 'unsupported')) throw error;
    return { scores };
  }
}
