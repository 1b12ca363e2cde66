/**
 * `facet evaluate`: a model that somebody else published, on a folder of labelled images. Input is checked before
 * anything is written; the model is published once its dataset is stored, and from there on everything is the same as on
 * a cluster.
 */
import { publishModel, saveStanding, sha256 } from '@facet/catalog';
import { EvaluationPlan, formatRef, ModelManifest, Policy } from '@facet/contracts';
import { readFolder } from '@facet/datasets';
import { Engine, share } from '@facet/engine';
import { ModelError } from '@facet/onnx';
import { defineHandler, InputError, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
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

/** What is wrong with a model is in its file, or in its manifest where that is what the error speaks of. */
const MANIFEST_PLACE = /^manifest /;

async function checkModel(
  options: EvaluateOptions,
  bytes: Uint8Array,
  manifest: ModelManifest,
): Promise<string> {
  const digest = sha256(bytes);
  const engine = new Engine({ threads: 1 });
  try {
    await engine.check({ digest, bytes: share(bytes), manifest });
    return digest;
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    const { where, problem } = cause;
    const inManifest = where !== undefined && MANIFEST_PLACE.test(where);
    throw new InputError(problem, {
      file: inManifest ? options.manifest : options.model,
      ...(where && { field: where.replace(MANIFEST_PLACE, '') }),
      cause,
    });
  } finally {
    await engine.close();
  }
}

/** Everything that can be seen to be wrong before any work begins. */
async function inputsOf(options: EvaluateOptions) {
  const manifest = await readDocument(options.manifest, ModelManifest);
  const bytes = await readModelFile(options.model);
  const plan = options.plan ? await readDocument(options.plan, EvaluationPlan) : defaultPlan(options.seed);
  const policy = options.policy ? await readDocument(options.policy, Policy) : undefined;
  const { name, version } = (await readFolder(options.dataset)).manifest;
  const digest = await checkModel(options, bytes, manifest);
  return { manifest, bytes, digest, plan, policy, dataset: { name, version } };
}

export async function evaluate(options: EvaluateOptions): Promise<number> {
  const { manifest, bytes, digest, plan, policy, dataset } = await inputsOf(options);
  const model = { name: manifest.name, version: manifest.version };
  return runSession(options, async ({ store, publish }) => {
    const publishOnDataset = defineHandler(VOCABULARY, {
      name: 'evaluate',
      consumes: ['dataset.ingested'],
      concurrency: 1,
      ackWaitMs: 30_000,
      attemptLimitMs: 30_000,
      maxDeliver: 1,
      async handle(): Promise<OutgoingEvent<typeof VOCABULARY>[]> {
        await publishModel(store, bytes, manifest);
        return [{ type: 'model.published', subject: formatRef(model), data: { model, digest } }];
      },
      onGivenUp: (_, { message }) => [
        {
          type: 'evaluation.failed',
          data: { evaluation: `publish-${digest.slice(0, 16)}`, reasons: [message] },
        },
      ],
    });
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
    return [publishOnDataset as AnyHandler];
  });
}
