/** What an attack asks of a model, by the sessions of this worker: scores, and gradients or steps of a cell's objective. */
import {
  type AttackedFacet,
  borrow,
  type GradientOracle,
  lossOf,
  objectiveOf,
  type ObjectiveGradient,
  type SearchContext,
  type StepOracle,
  stepsBySigns,
} from '@facet/adversary';
import { needsGradient } from '@facet/contracts';
import { compileObjective, ModelError } from '@facet/onnx';
import { identityOf } from '../model-source.js';
import type { AttackTask } from '../tasks.js';
import { decide, modelOf, sessions } from './models.js';
import { type Pass, passOf } from './pass.js';
import type { Session } from './sessions.js';

const gradientOf =
  (pass: Pass): GradientOracle['gradient'] =>
  async (batch): Promise<ObjectiveGradient> => {
    const gradient = borrow(batch.pixels.length);
    return { gradient, ...(await pass(batch, { gradient })) };
  };

const stepOf =
  (pass: Pass): StepOracle['step'] =>
  async (batch, { length, low, high, next }) =>
    (await pass(batch, { next }, { images: { low, high }, numbers: { length } })).scores;

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
  try {
    const pass = passOf(source.manifest, await objectiveSession(task, facet, step), task.batch);
    return step ? { scores, step: stepOf(pass) } : { scores, gradient: gradientOf(pass) };
  } catch (error) {
    if (needsGradient(search) || !(error instanceof ModelError && error.fault === 'unsupported')) throw error;
    return { scores };
  }
}
