/**
 * Carries an evaluation from a published model to its report: opens it, plans it, joins its shards, concludes. Each
 * step is a handler of its own, and each can be repeated.
 */
import { isCancelled, type PlannedEvaluation, standingFor } from '@facet/catalog';
import { keys, Report } from '@facet/contracts';
import {
  defineHandler,
  type HandlerContext,
  type OutgoingEvent,
  type Progress,
  VOCABULARY,
} from '@facet/runtime';
import { readJson } from '@facet/store';
import { inSpan, isTelemetryOn } from '@facet/telemetry';
import { waitingFor } from './baseline.js';
import { CONTINUE, JOIN, OPEN, PLAN, STANDING } from './declaration.js';
import { conclude, type ConcludeDependencies } from './conclude.js';
import { withoutFailed } from './failed.js';
import { Joiner, type Place } from './join.js';
import { measure } from './measure.js';
import { openEvaluation, planEvaluation } from './open.js';

type Outgoing = OutgoingEvent<typeof VOCABULARY>;

const JOINS_AT_A_TIME = 8;

/** Standing evaluations that a published model starts. */
const standingHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...STANDING,
    concurrency: 1,
    async handle({ data: { model } }) {
      const standing = await standingFor(store, model);
      return standing.map(({ name, dataset, plan, policy, baseline }): Outgoing => ({
        type: 'evaluation.requested',
        key: name,
        data: { model, dataset, plan, ...(policy && { policy }), ...(baseline && { baseline }) },
      }));
    },
  });

/** An evaluation that was asked for before and has ended is told again; any other asks for its features. */
const openHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...OPEN,
    concurrency: 1,
    async handle({ data: asked }): Promise<Outgoing[]> {
      const opened = await openEvaluation(store, asked);
      if (opened.state === 'waiting') return [{ type: 'evaluation.requested', data: opened.first }];
      const { evaluation, model, dataset } = opened.request;
      const done = await readJson(store, keys.evaluation.report(evaluation, 'json'), (v) => Report.parse(v));
      if (done !== undefined) return [completed(done)];
      return [{ type: 'features', subject: evaluation, data: { evaluation, model, dataset } }];
    },
    onGivenUp: ({ id }, { message }) => [
      { type: 'evaluation.failed', data: { evaluation: `request-${id.slice(0, 16)}`, reasons: [message] } },
    ],
  });

/** What waited for an evaluation is asked for again once it has its report, and fails with it. */
const continueHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...CONTINUE,
    concurrency: 1,
    async handle({ type, data }): Promise<Outgoing[]> {
      const waiting = await waitingFor(store, data.evaluation);
      if (type === 'evaluation.completed')
        return waiting.map(({ name, then }): Outgoing => ({ ...then, key: name }));
      const reasons = data.reasons.map((reason) => `${data.evaluation}, which it waited for: ${reason}`);
      return waiting.map(({ name }) => failed(name, reasons));
    },
  });

const planHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...PLAN,
    concurrency: 1,
    async handle({ data: { evaluation, model, dataset, features } }): Promise<Outgoing[]> {
      if (await isCancelled(store, evaluation)) return [];
      const { cells, shards } = await planEvaluation(store, evaluation, features);
      const planned = { evaluation, model, dataset, cells: cells.length, shards: cells.length * shards };
      return [{ type: 'evaluation.planned', subject: evaluation, data: planned }];
    },
    onGivenUp: ({ data: { evaluation } }, { message }) => [failed(evaluation, [message])],
  });

/** Queues the first shards of what was planned, the next one with each that ends, and concludes with the last. */
const joinHandler = (dependencies: ConcludeDependencies) => {
  const joiner = new Joiner(dependencies.store);
  const concluding = new Map<string, Promise<Report>>();
  /** Once, also where the last event comes several times. */
  const report = (planned: PlannedEvaluation, { signal, progress }: HandlerContext): Promise<Report> => {
    const { evaluation } = planned;
    const known = concluding.get(evaluation);
    if (known !== undefined) return known;
    const making = concludeOnce(dependencies, planned, signal, progress);
    concluding.set(evaluation, making);
    making.then(
      () => concluding.delete(evaluation),
      () => concluding.delete(evaluation),
    );
    return making;
  };
  return defineHandler(VOCABULARY, {
    ...JOIN,
    // The steps of several events overlap: each waits for the bus more than it works.
    concurrency: JOINS_AT_A_TIME,
    async handle({ id: event, type, data }, context): Promise<Outgoing[]> {
      const { evaluation } = data;
      const joined =
        type === 'evaluation.planned'
          ? await joiner.begin(evaluation, event)
          : await joiner.take({
              ...data,
              event,
              reason: type === 'attack.failed' ? data.reason : undefined,
            });
      const { total } = joined;
      const done = joined.state === 'open' ? joined.done : total;
      context.progress.report({ step: 'attacks', done, total, unit: 'shards' });
      switch (joined.state) {
        case 'open':
          return joined.next.map((place) => attackJob(joined.planned, place));
        case 'failed':
          return [failed(evaluation, joined.reasons)];
        case 'complete':
          return [completed(await report(joined.planned, context))];
      }
    },
    onGivenUp: ({ data: { evaluation } }, { message }) => [failed(evaluation, [message])],
  });
};

function attackJob(planned: PlannedEvaluation, { cell: place, shard }: Place): Outgoing {
  const { evaluation, model, dataset, features } = planned;
  const cell = planned.cells[place];
  const data = { evaluation, model, dataset, cell, shard, features };
  return { type: 'attacks', key: `${evaluation}/${cell.id}/${shard}`, subject: evaluation, data };
}

/** The report that stands there already, or a new one; also where cells that it names as failed have been finished since. */
async function concludeOnce(
  dependencies: ConcludeDependencies,
  planned: PlannedEvaluation,
  signal: AbortSignal,
  progress: Progress,
): Promise<Report> {
  const { evaluation } = planned;
  const key = keys.evaluation.report(evaluation, 'json');
  const standing = await readJson(dependencies.store, key, (value) => Report.parse(value));
  const { attacked, failed } = await withoutFailed(dependencies.store, planned);
  if (standing !== undefined && (standing.failedCells ?? []).length === failed.length) return standing;
  progress.report({ step: 'report', done: 0, total: 1, unit: 'reports' });
  const about = { 'facet.evaluation': evaluation };
  const report = await inSpan('conclude', about, () => conclude(dependencies, attacked, failed, signal));
  if (isTelemetryOn()) {
    // The report is there; that its time cannot be told must not have it made again.
    const asked = dependencies.store.get(keys.evaluation.request(evaluation), { signal });
    const request = await asked.catch(() => undefined);
    measure(report, request?.modified);
  }
  progress.report({ step: 'report', done: 1, total: 1, unit: 'reports' });
  return report;
}

function completed({ evaluation, model, dataset, verdict }: Report): Outgoing {
  return {
    type: 'evaluation.completed',
    subject: evaluation,
    data: {
      evaluation,
      model: { name: model.name, version: model.version },
      dataset: { name: dataset.name, version: dataset.version },
      report: keys.evaluation.report(evaluation, 'json'),
      verdict,
    },
  };
}

const failed = (evaluation: string, reasons: readonly string[]): Outgoing => ({
  type: 'evaluation.failed',
  subject: evaluation,
  data: { evaluation, reasons: [...reasons] },
});

export const evaluationHandlers = (dependencies: ConcludeDependencies) => [
  standingHandler(dependencies),
  openHandler(dependencies),
  continueHandler(dependencies),
  planHandler(dependencies),
  joinHandler(dependencies),
];
