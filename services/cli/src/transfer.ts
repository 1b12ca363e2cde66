/**
 * `facet transfer`: several published models on one folder of labelled images. Each is attacked by its own evaluation; then
 * every model judges the images that were crafted on every other.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publishModel, saveStanding } from '@facet/catalog';
import { formatRef, type Ref } from '@facet/contracts';
import { transferMatrix } from '@facet/evaluation';
import { renderTransferHtml, renderTransferTable } from '@facet/report';
import { defineHandler, inFile, InputError, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { canonicalJson } from '@facet/store';
import { inputsOf } from './evaluate.js';
import { EXIT } from './finish.js';
import { runSession } from './session.js';
import type { AnyHandler, System } from './system.js';

export interface TransferOptions {
  /** As many manifests as models, in their order. */
  readonly model: readonly string[];
  readonly manifest: readonly string[];
  readonly dataset: string;
  readonly plan: string;
  readonly out: string;
  readonly seed?: number;
  readonly version: string;
}

/** Errors: InputError where there is no pair, or a pair cannot be. */
function checkPairs(models: readonly Ref[]): void {
  const names = models.map(formatRef);
  names.forEach((name, i) => {
    if (names.indexOf(name) !== i)
      throw new InputError(`${name} is given twice; a model cannot be both of a pair`, {
        field: `--model ${i + 1}`,
      });
  });
}

async function subjectsOf(options: TransferOptions) {
  const { model: models, manifest: manifests } = options;
  if (models.length < 2)
    throw new InputError('takes two models or more, each with its manifest', { field: '--model' });
  if (models.length !== manifests.length)
    throw new InputError(`is given ${manifests.length} times, for ${models.length} models`, {
      field: '--manifest',
    });
  const subjects = [];
  for (const [i, model] of models.entries()) {
    const files = { ...options, model, manifest: manifests[i] };
    const { manifest, ...rest } = await inputsOf(files);
    subjects.push({
      ...rest,
      manifest,
      file: manifests[i],
      ref: { name: manifest.name, version: manifest.version },
    });
  }
  checkPairs(subjects.map(({ ref }) => ref));
  return subjects;
}

export async function transfer(options: TransferOptions): Promise<number> {
  const subjects = await subjectsOf(options);
  const [{ dataset, plan }] = subjects;
  const begin = async ({ store, publish }: System): Promise<AnyHandler[]> => {
    const publishAll = defineHandler(VOCABULARY, {
      name: 'transfer',
      consumes: ['dataset.ingested'],
      publishes: ['model.published', 'evaluation.failed'],
      concurrency: 1,
      ackWaitMs: 30_000,
      attemptLimitMs: 30_000,
      maxDeliver: 1,
      async handle(): Promise<OutgoingEvent<typeof VOCABULARY>[]> {
        for (const { file, bytes, manifest } of subjects)
          await inFile(file, () => publishModel(store, bytes, manifest));
        return subjects.map(({ ref: model, digest }) => {
          const subject = formatRef(model);
          return { type: 'model.published', key: subject, subject, data: { model, digest } };
        });
      },
      onGivenUp: (_, { message }) => [
        { type: 'evaluation.failed', data: { evaluation: 'transfer', reasons: [message] } },
      ],
    });
    for (const [i, { ref }] of subjects.entries())
      await saveStanding(store, {
        schema: 'facet.standing/v1',
        name: `transfer-${i + 1}`,
        models: ref.name,
        version: ref.version,
        dataset,
        plan,
      });
    await publish({
      type: 'ingestion',
      subject: formatRef(dataset),
      data: { dataset, source: { kind: 'folder', path: options.dataset } },
    });
    return [publishAll as AnyHandler];
  };
  return runSession(
    { ...options, models: subjects.map(({ ref }) => ref) },
    {
      begin,
      end: async ({ store, engine }, completed, { signal, progress }) => {
        const report = await transferMatrix(
          { store, engine, version: options.version },
          completed.map(({ evaluation }) => evaluation),
          {
            signal,
            onProgress: (done, total) => {
              progress.report({ step: 'transfer', done, total, unit: 'shards' });
            },
          },
        );
        await mkdir(options.out, { recursive: true });
        await writeFile(join(options.out, 'transfer.json'), canonicalJson(report));
        await writeFile(join(options.out, 'transfer.html'), renderTransferHtml(report));
        const lines = [
          '',
          renderTransferTable(report),
          '',
          `Report: ${join(options.out, 'transfer.html')}`,
          '',
        ];
        return { code: EXIT.passed, text: lines.join('\n') };
      },
    },
  );
}
