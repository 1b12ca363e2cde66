/**
 * Carries an evaluation from a published model to its report: opens it, plans it, joins its shards, concludes. Each
 * step is a handler of its own, and each can be repeated.
 */
import { standingFor } from '@facet/catalog';
import { keys, Report } from '@facet/contracts';
import { defineHandler, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { readJson } from '@facet/store';
import { inSpan } from '@facet/telemetry';
import { JOIN, OPEN, PLAN, STANDING } from './declaration.js';
import { conclude, type ConcludeDependencies } from './conclude.js';
import { Joiner } from './join.js';
import { measure } from './measure.js';
import { openEvaluation, planEvaluation } from './open.js';

type Outgoing = OutgoingEvent<typeof VOCABULARY>;

/** Standing evaluations that a published model starts. */
const standingHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...STANDING,
    concurrency: 1,
    async handle({ data: { model } }) {
      const standing = await standingFor(store, model);
      return standing.map(({ name, dataset, plan, policy }): Outgoing => ({
        type: 'evaluation.requested',
        key: name,
        data: { model, dataset, plan, ...(policy && { policy }) },
      }));
    },
  });

/** An evaluation that was asked for before and has ended is told again; any other asks for its features. */
const openHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...OPEN,
    concurrency: 1,
    async handle({ data: asked }): Promise<Outgoing[]> {
      const { evaluation, model, dataset } = await openEvaluation(store, asked);
      const done = await readJson(store, keys.evaluation.report(evaluation, 'json'), (v) => Report.parse(v));
      if (done !== undefined) return [completed(done)];
      return [{ type: 'features', subject: evaluation, data: { evaluation, model, dataset } }];
    },
    onGivenUp: ({ id }, { message }) => [
      { type: 'evaluation.failed', data: { evaluation: `request-${id.slice(0, 16)}`, reasons: [message] } },
    ],
  });

const planHandler = ({ store }: ConcludeDependencies) =>
  defineHandler(VOCABULARY, {
    ...PLAN,
    concurrency: 1,
    async handle({ data: { evaluation, model, dataset, features } }): Promise<Outgoing[]> {
      const { cells, shards } = await planEvaluation(store, evaluation, features);
      const jobs = cells.flatMap((cell) =>
        Array.from({ length: shards }, (_, shard): Outgoing => {
          const data = { evaluation, model, dataset, cell, shard, features };
          return { type: 'attacks', key: `${evaluation}/${cell.id}/${shard}`, subject: evaluation, data };
        }),
      );
      const planned = { evaluation, model, dataset, cells: cells.length, shards: cells.length * shards };
      return [{ type: 'evaluation.planned', subject: evaluation, data: planned }, ...jobs];
    },
    onGivenUp: ({ data: { evaluation } }, { message }) => [failed(evaluation, [message])],
  });

const joinHandler = (dependencies: ConcludeDependencies) => {
  const joiner = new Joiner(dependencies.store);
  return defineHandler(VOCABULARY, {
    ...JOIN,
    concurrency: 1,
    async handle({ type, data }, { signal, progress }): Promise<Outgoing[]> {
      const reason = type === 'attack.failed' ? data.reason : undefined;
      const joined = await joiner.take(data.evaluation, data.cell, data.shard, reason);
      const { total } = joined;
      const done = joined.state === 'open' ? joined.done : total;
      progress.report({ step: 'attacks', done, total, unit: 'shards' });
      switch (joined.state) {
        case 'open':
          return [];
        case 'failed':
          return [failed(data.evaluation, joined.reasons)];
        case 'complete': {
          progress.report({ step: 'report', done: 0, total: 1, unit: 'reports' });
          const about = { 'facet.evaluation': data.evaluation };
          const report = await inSpan('conclude', about, () =>
            conclude(dependencies, joined.planned, signal),
          );
          measure(report);
          progress.report({ step: 'report', done: 1, total: 1, unit: 'reports' });
          return [completed(report)];
        }
      }
    },
    onGivenUp: ({ data: { evaluation } }, { message }) => [failed(evaluation, [message])],
  });
};

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
  planHandler(dependencies),
  joinHandler(dependencies),
];
