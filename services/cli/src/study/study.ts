/**
 * `facet study`: the paper's question. Networks are trained and evaluated by the same services as any other model; what is
 * stored is not done again, so an interrupted study goes on when the same command is given again.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveStanding } from '@facet/catalog';
import { formatRef, keys, Report, type Study } from '@facet/contracts';
import { renderStudyHtml, renderStudyTable } from '@facet/report';
import { defineHandler, type OutgoingEvent, TerminalError, VOCABULARY } from '@facet/runtime';
import { canonicalJson, readJson } from '@facet/store';
import { type Ending, EXIT } from '../finish.js';
import type { Completed } from '../outcome.js';
import { runSession } from '../session.js';
import type { AnyHandler, System } from '../system.js';
import { datasetOf, networksOf, type StudyNetwork } from './networks.js';
import { type Finished, summarise } from './summarise.js';

export interface StudyOptions {
  readonly study: Study;
  readonly out: string;
  readonly version: string;
}

export function runStudy({ study, out, version }: StudyOptions): Promise<number> {
  const networks = networksOf(study);
  const dataset = datasetOf(study);
  /** Once the data is there, every network is trained on it. */
  const trainAll = defineHandler(VOCABULARY, {
    name: 'study',
    consumes: ['dataset.ingested'],
    publishes: ['training.requested'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle: (): Promise<OutgoingEvent<typeof VOCABULARY>[]> =>
      Promise.resolve(
        networks.map(({ model, recipe }) => ({
          type: 'training.requested',
          key: formatRef(model),
          subject: formatRef(model),
          data: { model, dataset, recipe },
        })),
      ),
  });
  const begin = async (system: System): Promise<AnyHandler[]> => {
    const { plan, dataset: faces } = study;
    const standing = { schema: 'facet.standing/v1' as const, name: 'study', models: 'study-*' };
    await saveStanding(system.store, { ...standing, dataset, plan });
    const source = { kind: 'synthetic' as const, ...faces, variant: 'standard' as const, heldOut: [] };
    await system.publish({ type: 'ingestion', subject: formatRef(dataset), data: { dataset, source } });
    return [trainAll as AnyHandler];
  };
  return runSession(
    { out, version, models: networks.map(({ model }) => model) },
    { begin, end: (system, completed) => finishStudy(system, study, networks, completed, out) },
  );
}

async function finishStudy(
  { store }: System,
  study: Study,
  networks: readonly StudyNetwork[],
  completed: readonly Completed[],
  out: string,
): Promise<Ending> {
  const finished: Finished[] = [];
  for (const [i, { evaluation }] of completed.entries()) {
    const key = keys.evaluation.report(evaluation, 'json');
    const report = await readJson(store, key, (value) => Report.parse(value));
    if (report === undefined) throw new TerminalError(`evaluation ${evaluation} has no report`);
    finished.push({ network: networks[i], report });
  }
  const report = summarise(study, finished);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'study.json'), canonicalJson(report));
  await writeFile(join(out, 'study.html'), renderStudyHtml(report));
  const lines = [
    '',
    renderStudyTable(report),
    ...report.notes.map((note) => `Note: ${note}`),
    '',
    `Report: ${join(out, 'study.html')}`,
    '',
  ];
  return { code: EXIT.passed, text: lines.join('\n') };
}
