/** The worker thread: which task is done by which function. */
import { serveTasks, type TaskContext } from '@facet/threads';
import type { Tasks } from './tasks.js';
import { attack } from './worker/attack.js';
import { check, checkFile, vet } from './worker/check.js';
import { compare } from './worker/compare.js';
import { describe, fit, moments } from './worker/describe.js';
import { gradient } from './worker/gradient.js';
import { perturbPart } from './worker/inner/perturb.js';
import { fitPriors } from './worker/inner/priors.js';
import { score } from './worker/inner/score.js';
import { inspect } from './worker/inspect.js';
import { probe } from './worker/probe.js';
import { gradientNorms, trainPart, update } from './worker/train.js';

type Handlers = {
  readonly [T in keyof Tasks]: (
    input: Tasks[T]['input'],
    context: TaskContext,
  ) => Promise<Tasks[T]['result']>;
};

const handlers: Handlers = {
  check,
  checkFile,
  compare,
  describe: (task, { signal }) => describe(task, signal),
  async moments(task, { signal, transfer }) {
    const result = await moments(task, signal);
    const found = Object.values(result).flat();
    transfer(
      found.flatMap(({ mean, scatter }) => [mean, scatter].map(({ buffer }) => buffer as ArrayBuffer)),
    );
    return result;
  },
  fit: (fits) => Promise.resolve(fit(fits)),
  async attack(task, { signal, progress, transfer }) {
    const result = await attack(task, signal, progress);
    transfer(result.pngs.slice(0, 1).map(({ buffer }) => buffer as ArrayBuffer));
    return result;
  },
  inspect,
  gradient,
  train: trainPart,
  perturb: perturbPart,
  score,
  fitPriors,
  gradientNorms,
  update,
  probe,
  vet,
};

serveTasks(handlers);
