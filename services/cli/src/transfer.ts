/**
 * `facet transfer`: several published models on one folder of labelled images. Each is attacked by its own evaluation; then
 * every model judges the images that were crafted on every other.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRef, type Ref } from '@facet/contracts';
import { transferMatrix } from '@facet/evaluation';
import { renderTransferHtml, renderTransferTable } from '@facet/report';
import { InputError } from '@facet/runtime';
import { canonicalJson } from '@facet/store';
import { inputsOf } from './evaluate.js';
import { EXIT } from './finish.js';
import { beginWith, refOf } from './publish.js';
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
  const found = [];
  for (const [i, model] of models.entries())
    found.push(await inputsOf({ ...options, model, manifest: manifests[i] }));
  const subjects = found.map(({ subject }) => subject);
  checkPairs(subjects.map(refOf));
  const [{ dataset, plan }] = found;
  return { subjects, dataset, plan };
}

export async function transfer(options: TransferOptions): Promise<number> {
  const { subjects, dataset, plan } = await subjectsOf(options);
  const begin = (system: System): Promise<AnyHandler[]> =>
    beginWith(system, {
      subjects,
      dataset,
      folder: options.dataset,
      standingName: (_, i) => `transfer-${i + 1}`,
      asked: { plan },
    });
  return runSession(
    { ...options, models: subjects.map(refOf) },
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
