/**
 * `facet evaluate`: a model that somebody else published, on a folder of labelled images. The model is checked, then
 * published; from there on everything is the same as on a cluster.
 */
import { publishModel, saveStanding, sha256 } from '@facet/catalog';
import { EvaluationPlan, formatRef, ModelManifest, Policy } from '@facet/contracts';
import { readFolder } from '@facet/datasets';
import { share } from '@facet/engine';
import { defineHandler, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { readDocument, readModelFile } from './inputs.js';
import { defaultPlan } from './presets.js';
import { runSession } from './session.js';
import type { AnyHandler } from './system.js';

export interface EvaluateOptions {
  readonly model: string;
  readonly manifest: string;
  /** A folder with `dataset.json`. */
  readonly dataset: string;
  readonly plan?: string;
  readonly policy?: string;
  readonly out: string;
  readonly seed: number;
  readonly version: string;
}

/** Everything that can be wrong with the input is found before anything is written. */
async function inputsOf(options: EvaluateOptions) {
  const manifest = await readDocument(options.manifest, ModelManifest);
  const bytes = await readModelFile(options.model);
  const plan = options.plan ? await readDocument(options.plan, EvaluationPlan) : defaultPlan(options.seed);
  const policy = options.policy ? await readDocument(options.policy, Policy) : undefined;
  const { name, version } = (await readFolder(options.dataset)).manifest;
  return { manifest, bytes, plan, policy, dataset: { name, version } };
}

export async function evaluate(options: EvaluateOptions): Promise<number> {
  const { manifest, bytes, plan, policy, dataset } = await inputsOf(options);
  const model = { name: manifest.name, version: manifest.version };
  /** The model is published once its dataset is there, so that its evaluation finds it. */
  const publishOnDataset = (digest: string) =>
    defineHandler(VOCABULARY, {
      name: 'evaluate',
      consumes: ['dataset.ingested'],
      concurrency: 1,
      ackWaitMs: 30_000,
      attemptLimitMs: 30_000,
      maxDeliver: 1,
      handle: (): Promise<OutgoingEvent<typeof VOCABULARY>[]> =>
        Promise.resolve([{ type: 'model.published', subject: formatRef(model), data: { model, digest } }]),
    });
  return runSession(options, async ({ store, engine, publish }) => {
    const digest = sha256(bytes);
    await engine.check({ digest, bytes: share(bytes), manifest });
    await publishModel(store, bytes, manifest);
    await saveStanding(store, {
      schema: 'facet.standing/v1',
      name: `evaluate-${model.name}`.slice(0, 63),
      models: model.name,
      version: model.version,
      dataset,
      plan,
      ...(policy && { policy }),
    });
    await publish({
      type: 'ingestion',
      subject: formatRef(dataset),
      data: { dataset, source: { kind: 'folder', path: options.dataset } },
    });
    return [publishOnDataset(digest) as AnyHandler];
  });
}
