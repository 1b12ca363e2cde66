/**
 * Every metric of Facet: its name, unit and attributes. Names are stable: dashboards and alerts are written against
 * them, so one is never changed, only replaced by a new one. No attribute holds what grows with use (an id, a shard, a
 * key, a version), so that the number of series is bounded by how many models and handlers there are.
 */

interface MetricKind {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  /** UCUM, as OpenTelemetry asks: `s`, `By`, `1` for ratios, `{thing}` for counts. */
  readonly unit: string;
  readonly about: string;
  readonly attributes: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /** Series of one process; what comes beyond is counted together under `otel.metric.overflow`. */
  readonly limit: number;
}

/** From a no-op to a training of a day. */
const JOB_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400];
/** From a model of the demo to a thorough plan on one machine. */
const EVALUATION_SECONDS = [10, 30, 60, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];
/** From a local call to one that has hung. */
const CALL_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

/** Handlers and outcomes are few and fixed. */
const FEW = 500;
/** 200 models with 6 facets, 5 objectives, 2 searches and 5 threat models are 60,000; a process sees fewer. */
const MANY = 20_000;

export const METRICS = {
  'facet.job.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'One attempt at a message, from its delivery to its settlement.',
    attributes: ['handler', 'pool', 'outcome'],
    buckets: JOB_SECONDS,
    limit: FEW,
  },
  'facet.job.attempts': {
    kind: 'histogram',
    unit: '{attempt}',
    about: 'Attempts that a message took until it was done or given up.',
    attributes: ['handler', 'pool', 'outcome'],
    buckets: [1, 2, 3, 4, 5, 7, 10],
    limit: FEW,
  },
  'facet.dead_letters': {
    kind: 'counter',
    unit: '{message}',
    about: 'Messages that were given up.',
    attributes: ['handler', 'reason'],
    limit: FEW,
  },
  'facet.queue.messages': {
    kind: 'gauge',
    unit: '{message}',
    about: 'Messages before a consumer: waiting for a reader, or given out and unsettled.',
    attributes: ['consumer', 'state'],
    limit: FEW,
  },
  'facet.bus.publish.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'Publishing one message, until the stream has it.',
    attributes: ['subject', 'error.type'],
    buckets: CALL_SECONDS,
    limit: FEW,
  },
  'facet.store.operation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'One operation on the object store; of a read, until its bytes are there.',
    attributes: ['operation', 'error.type'],
    buckets: CALL_SECONDS,
    limit: FEW,
  },
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'One HTTP request, until all of its answer has gone out.',
    attributes: ['http.request.method', 'http.route', 'http.response.status_code', 'error.type'],
    buckets: CALL_SECONDS,
    limit: FEW,
  },
  'facet.images': {
    kind: 'counter',
    unit: '{image}',
    about: 'Images that a stage has worked on; its rate is the throughput.',
    attributes: ['stage'],
    limit: FEW,
  },
  'facet.verdicts': {
    kind: 'counter',
    unit: '{evaluation}',
    about: 'Evaluations that came to their report: passed or rejected by their policy, or without one.',
    attributes: ['model', 'outcome'],
    limit: MANY,
  },
  'facet.evaluation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'Time to report: from when an evaluation was first asked for to its report.',
    attributes: ['outcome'],
    buckets: EVALUATION_SECONDS,
    limit: FEW,
  },
  'facet.report.timestamp': {
    kind: 'gauge',
    unit: 's',
    about:
      "When a model's latest report was made, in seconds since 1970; tells which process has the latest figures.",
    attributes: ['model', 'dataset'],
    limit: MANY,
  },
  'facet.attack.success_rate': {
    kind: 'gauge',
    unit: '1',
    about: "Attack success of a model's latest evaluation, per cell, over samples that were decided right.",
    attributes: ['model', 'dataset', 'facet', 'objective', 'search', 'norm', 'epsilon'],
    limit: MANY,
  },
  'facet.clean.acer': {
    kind: 'gauge',
    unit: '1',
    about: "ACER of a model's latest evaluation without an attack.",
    attributes: ['model', 'dataset'],
    limit: MANY,
  },
  'facet.compute.workers': {
    kind: 'gauge',
    unit: '{worker}',
    about: 'Worker threads for compute.',
    attributes: ['device'],
    limit: FEW,
  },
  'facet.compute.busy': {
    kind: 'counter',
    unit: 's',
    about:
      "Time that workers have computed, all together: its rate over their number is the device's utilisation.",
    attributes: ['device'],
    limit: FEW,
  },
  'facet.training.loss': {
    kind: 'gauge',
    unit: '{loss}',
    about: "A training's losses at its latest step, by head, before they are weighted.",
    attributes: ['model', 'loss'],
    limit: MANY,
  },
  'facet.training.progress': {
    kind: 'gauge',
    unit: '1',
    about: "A training's share of steps that are done.",
    attributes: ['model'],
    limit: MANY,
  },
} as const satisfies Readonly<Record<string, MetricKind>>;

export type MetricName = keyof typeof METRICS;

/** An attribute that does not apply is left out or undefined, such as `error.type` of what went well. */
export type MetricAttributes<M extends MetricName> = Readonly<
  Partial<Record<(typeof METRICS)[M]['attributes'][number], string>>
>;
