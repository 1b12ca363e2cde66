/**
 * `facet study`: the paper's question. Networks are trained and evaluated by the same services as any other model; what is
 * stored is not done again, so an interrupted study goes on when the same command is given again.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveStanding } from '@facet/catalog';
import { formatRef, keys, type Ref, Report, type Study } from '@facet/contracts';
import { renderStudyHtml, renderStudyTable } from '@facet/report';
import { defineHandler, type OutgoingEvent, TerminalError, VOCABULARY } from '@facet/runtime';
import { canonicalJson, type ObjectStore, readJson } from '@facet/store';
import { type Ending, EXIT } from '../finish.js';
import { awaitEvaluations } from '../outcome.js';
import { runUntil } from '../session.js';
import type { AnyHandler, System } from '../system.js';
import { cleanScores, defendedFigures } from './defended.js';
import { networksOf, type StudyNetwork } from './networks.js';
import { type Stand, standsOf } from './stands.js';
import { type Finished, summarise } from './summarise.js';

export interface StudyOptions {
  readonly study: Study;
  readonly out: string;
  readonly version: string;
}

type Outgoing = OutgoingEvent<typeof VOCABULARY>;

const ingestionOf = ({ data }: Stand): Outgoing => ({
  type: 'ingestion',
  subject: formatRef(data.dataset),
  data,
});

export function runStudy({ study, out, version }: StudyOptions): Promise<number> {
  const networks = networksOf(study);
  const stands = standsOf(study);
  const { dataset } = stands[0].data;
  const keyOf = (model: Ref, on: Ref): string => `${formatRef(model)} ${formatRef(on)}`;
  const wanted = new Set(
    networks.flatMap(({ model }) => stands.map(({ data }) => keyOf(model, data.dataset))),
  );
  const trainings = networks.map(({ model, recipe }): Outgoing => ({
    type: 'training.requested',
    key: formatRef(model),
    subject: formatRef(model),
    data: { model, dataset, recipe },
  }));
  /** Once all data are there, every network is trained. */
  const next = defineHandler(VOCABULARY, {
    name: 'study',
    consumes: ['dataset.ingested'],
    publishes: ['ingestion', 'training.requested'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle({ data: { dataset: stored } }): Promise<Outgoing[]> {
      const at = stands.findIndex(({ data }) => formatRef(data.dataset) === formatRef(stored));
      return Promise.resolve(at + 1 < stands.length ? [ingestionOf(stands[at + 1])] : trainings);
    },
  });
  const begin = async (system: System): Promise<AnyHandler[]> => {
    for (const { name, data, plan } of stands)
      await saveStanding(system.store, {
        schema: 'facet.standing/v1',
        name,
        models: 'study-*',
        dataset: data.dataset,
        plan,
      });
    await system.publish(ingestionOf(stands[0]));
    return [next as AnyHandler];
  };
  return runUntil(
    { out, version },
    (view) =>
      awaitEvaluations(
        wanted.size,
        ({ model, dataset: on }) => wanted.has(keyOf(model, on)),
        ({ model, dataset: on }) => keyOf(model, on),
        (done) =>
          view.report({
            step: 'networks',
            done: Math.floor(done / stands.length),
            total: networks.length,
            unit: 'reports',
          }),
      ),
    {
      begin,
      end: async (system, completed) => {
        const evaluationOf = (model: Ref, on: Ref): string =>
          completed.find((one) => keyOf(one.model, one.dataset) === keyOf(model, on))!.evaluation;
        const finished: Finished[] = [];
        for (const network of networks) {
          const evaluations = stands.map(({ data }) => evaluationOf(network.model, data.dataset));
          finished.push(await finishedOf(system.store, study, network, evaluations));
        }
        return finishStudy(study, finished, out);
      },
    },
  );
}

async function reportOf(store: ObjectStore, evaluation: string): Promise<Report> {
  const key = keys.evaluation.report(evaluation, 'json');
  const report = await readJson(store, key, (value) => Report.parse(value));
  if (report === undefined) throw new TerminalError(`evaluation ${evaluation} has no report`);
  return report;
}

/** @param evaluations on the study's own faces, and under another camera where it compares defences */
async function finishedOf(
  store: ObjectStore,
  { dataset: { heldOut = [] } }: Study,
  network: StudyNetwork,
  [own, shifted]: readonly string[],
): Promise<Finished> {
  const report = await reportOf(store, own);
  if (shifted === undefined) return { network, report };
  const scores = { clean: await cleanScores(store, own), shifted: await cleanScores(store, shifted) };
  return { network, report, defended: defendedFigures(report, scores, heldOut) };
}

async function finishStudy(study: Study, finished: readonly Finished[], out: string): Promise<Ending> {
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
