/**
 * `facet evaluate`: a model that somebody else published, on a folder of labelled images. Input is checked before
 * anything is written; the model is published once its dataset is stored, and from there on everything is the same as on
 * a cluster.
 */
import { join } from 'node:path';
import { type Baseline, ModelManifest, Policy } from '@facet/contracts';
import { readFolder } from '@facet/datasets';
import { baselineModel } from '@facet/evaluation';
import { checkPlan } from '@facet/plans';
import { inFile, InputError } from '@facet/runtime';
import { checkModel, facetsOf } from './check-model.js';
import { finish } from './finish.js';
import { readDocument, readModelFile, readPlan } from './inputs.js';
import { beginWith, refOf, type Subject } from './publish.js';
import { runSession } from './session.js';
import type { AnyHandler, System } from './system.js';

export interface EvaluateOptions {
  readonly model: string;
  readonly manifest: string;
  /** A folder with `dataset.json`. */
  readonly dataset: string;
  /** A preset's name, or a file. */
  readonly plan: string;
  readonly policy?: string;
  /** What it is compared with: a model in the store of `out`. */
  readonly baseline?: Baseline;
  readonly out: string;
  /** Instead of the plan's own. */
  readonly seed?: number;
  readonly version: string;
}

/** Everything that can be seen to be wrong before any work begins. */
export async function inputsOf(
  options: Pick<EvaluateOptions, 'model' | 'manifest' | 'dataset' | 'plan' | 'policy' | 'seed'>,
) {
  const plan = await readPlan(options.plan, options.seed);
  const manifest = await readDocument(options.manifest, ModelManifest);
  const bytes = await readModelFile(options.model);
  const policy = options.policy ? await readDocument(options.policy, Policy) : undefined;
  const { name, version, samples } = (await readFolder(options.dataset)).manifest;
  if (!samples.some(({ split }) => split === 'test'))
    throw new InputError('none is in the split "test", which is the one that is attacked', {
      file: join(options.dataset, 'dataset.json'),
      field: 'samples',
    });
  await inFile(options.plan, () => {
    checkPlan(plan, facetsOf(manifest));
  });
  const digest = await checkModel(options, bytes, manifest, plan);
  const subject: Subject = { file: options.manifest, manifest, bytes, digest };
  return { subject, plan, policy, dataset: { name, version } };
}

export async function evaluate(options: EvaluateOptions): Promise<number> {
  const { subject, plan, policy, dataset } = await inputsOf(options);
  const { baseline } = options;
  const model = refOf(subject);
  const begin = async (system: System): Promise<AnyHandler[]> => {
    // Before anything is written: what it asks to be compared with must be there.
    if (baseline) await baselineModel(system.store, model, baseline);
    return beginWith(system, {
      subjects: [subject],
      dataset,
      folder: options.dataset,
      standingName: () => `evaluate-${model.name}`.slice(0, 63),
      asked: { plan, ...(policy && { policy }), ...(baseline && { baseline }) },
    });
  };
  return runSession(
    { ...options, models: [model] },
    { begin, end: ({ store }, [completed]) => finish(store, options.out, completed) },
  );
}
