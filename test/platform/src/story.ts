/**
 * What happens on the platform once, so that everything it shows has something to show: a model is asked for at the
 * gateway, trained and evaluated while another dataset comes in, with one attack that fails at first; the same evaluation
 * again while the collector is killed; one that cannot be planned, one that fails at once; and a job that nobody can read.
 */
import { saveStanding } from '@facet/catalog';
import { startCluster, type Cluster } from '@facet/cli';
import { EvaluationPlan, keys, Policy, TrainingRecipe } from '@facet/contracts';
import { connectStore, packageVersion } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { startTelemetry } from '@facet/telemetry';
import { Client } from './client.js';
import { Jaeger } from './jaeger.js';
import { LogSink } from './log-sink.js';
import { NatsExporter } from './nats-exporter.js';
import { startOtelcol } from './otelcol.js';
import { Prometheus } from './prometheus.js';
import { STUMBLES_ON } from './stumble.js';
import { until } from './until.js';

/** Of the test itself, which is the client. */
export const CLIENT = 'facet-client';

/** The first span, and the last to end. */
export const ROOT = 'train and evaluate';

/** For what has been sent to come out at the other end. */
export const ARRIVAL_MS = 30_000;

/** An evaluation here takes longer, so that it counts as slow and is kept. */
const SLOW_AFTER = '1s';

const model = { name: 'trained', version: '1' };
const dataset = { name: 'faces', version: '1' };
const more = { name: 'faces', version: '2' };

const plan = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'platform',
  seed: 5,
  samples: 12,
  batch: 2,
  shard: 2,
  priorSamples: 60,
  attacks: [
    {
      facets: ['live', 'depth'],
      objectives: ['direct', 'facet', STUMBLES_ON],
      searches: [{ name: 'pgd', steps: 2 }],
      threats: [{ norm: 'linf', epsilon: '4/255' }],
    },
  ],
});

const policy = Policy.parse({
  schema: 'facet.policy/v1',
  name: 'strict',
  attacks: [{ maxAttackSuccessRate: 0 }],
});

const recipe = TrainingRecipe.parse({
  schema: 'facet.recipe/v1',
  seed: 2,
  backbone: 'resnet-small',
  facets: ['depth'],
  epochs: 2,
  batch: 8,
  parts: 1,
  learningRate: 0.02,
  optimiser: { kind: 'sgd' },
  warmupSteps: 1,
  checkpointSteps: 5,
});

export interface Story {
  readonly jaeger: Jaeger;
  readonly prometheus: Prometheus;
  readonly logs: LogSink;
  readonly cluster: Cluster;
  /** Of dataset, training and evaluation. */
  readonly trace: string;
  readonly evaluation: string;
  /** Of the same evaluation, asked for again. */
  readonly second: string;
  /** `report.json` with the collector there, and with it killed in the middle. */
  readonly reports: readonly [Uint8Array, Uint8Array];
  /** What each process said of lost telemetry. */
  readonly warnings: readonly { readonly service: string; readonly line: string }[];
  /** The evaluation that could not be planned. */
  readonly failed: { readonly trace: string; readonly evaluation: string };
  /** An ingestion that had nothing to do: neither failed nor slow. */
  readonly dull: string;
  close(): Promise<void>;
}

export async function tellStory(say: (line: string) => void): Promise<Story> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    return await tell(say, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function tell(
  say: (line: string) => void,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Story> {
  const jaeger = await Jaeger.start();
  closers.push(() => jaeger.server.stop());
  const logs = await LogSink.open();
  closers.push(() => logs.close());
  const collector = await startOtelcol({
    traces: jaeger.otlp,
    logs: logs.url,
    slowAfter: SLOW_AFTER,
    sampledPercent: 0,
  });
  closers.push(() => collector.server.stop());
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    OTEL_BLRP_SCHEDULE_DELAY: '200',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  const warnings: { service: string; line: string }[] = [];
  const cluster = await startCluster({
    env: {
      ...environment,
      FACET_THREADS: '1',
      NODE_OPTIONS: `--import=${new URL('../out-tsc/stumble.js', import.meta.url).href}`,
    },
    say,
    onLog: (service, line) => {
      say(`${service} ${line.slice(0, 400)}`);
      if (line.includes('telemetry was lost')) warnings.push({ service, line });
    },
  });
  closers.push(() => cluster.stop());
  const exporter = await NatsExporter.open(cluster.nats.monitorUrl);
  closers.push(() => exporter.close());
  const prometheus = await Prometheus.start({
    facet: { address: collector.metrics },
    'otel-collector': { address: collector.self },
    nats: { address: exporter.address },
    minio: { address: new URL(cluster.minio.url).host, tls: true },
  });
  closers.push(() => prometheus.server.stop());

  Object.assign(process.env, environment);
  const log = {
    warn: (message: string, fields?: object) => say(`client ${message} ${JSON.stringify(fields)}`),
  };
  const telemetry = await startTelemetry({
    service: CLIENT,
    version: packageVersion(import.meta.url),
    log,
  });
  closers.push(() => telemetry.close());
  const client = await Client.connect(cluster.connections, cluster.gateways[0]);
  closers.push(() => client.close());
  const store = connectStore(cluster.connections);
  closers.push(() => store.close());

  await saveStanding(store, {
    schema: 'facet.standing/v1',
    name: 'platform',
    models: model.name,
    dataset,
    plan,
    policy,
  });
  const source = {
    kind: 'synthetic' as const,
    seed: 1,
    size: 16,
    samples: { train: 60, dev: 16, test: 12 },
    variant: 'standard' as const,
    heldOut: [],
  };
  const place = client.now;
  await client.ask({ id: 'ingest', type: 'ingestion', data: { dataset, source } });
  await client.hear(['dataset.ingested'], place);
  let evaluation = '';
  const trace = await client.traced(ROOT, async () => {
    const from = client.now;
    await client.post('/v1/trainings', { model, dataset, recipe });
    await client.ask({ id: 'ingest-more', type: 'ingestion', data: { dataset: more, source } });
    await client.hear(['dataset.ingested'], from);
    const end = await client.hear(['evaluation.completed', 'evaluation.failed', 'training.failed'], from);
    if (end.type !== 'evaluation.completed') throw new Error(JSON.stringify(end.data));
    evaluation = end.data.evaluation;
  });
  const before = await reportOf(store, evaluation);
  // What the collector still holds would go with it.
  await until('the trace', ARRIVAL_MS, async () => {
    const found = await jaeger.trace(trace);
    return found?.spans.some(({ name }) => name === ROOT) ? found : undefined;
  });

  // Asked for again with nothing left of it, so that all of it is done again.
  for (const prefix of [`evaluations/${evaluation}/`, 'features/'])
    for await (const { key } of store.list(prefix)) await store.delete(key);
  let again = '';
  const second = await client.traced('evaluate again', async () => {
    const from = client.now;
    await client.ask({
      id: 'again',
      type: 'evaluation.requested',
      data: { model, dataset, plan, policy },
    });
    await client.hear(['attack.completed'], from);
    await collector.server.kill();
    const end = await client.hear(['evaluation.completed', 'evaluation.failed'], from);
    if (end.type !== 'evaluation.completed') throw new Error(JSON.stringify(end.data));
    again = end.data.evaluation;
  });
  const after = await reportOf(store, again);
  // However soon the work was done: who sends what is left of it finds nobody.
  await until('a warning', ARRIVAL_MS, () => Promise.resolve(warnings.at(0)));
  await collector.server.revive();

  const dull = await client.traced('ingest again', async () => {
    const from = client.now;
    await client.ask({ id: 'ingest-again', type: 'ingestion', data: { dataset, source } });
    await client.hear(['dataset.ingested'], from);
  });
  let refused = '';
  const failedTrace = await client.traced('evaluate what cannot be', async () => {
    const from = client.now;
    const attacks = plan.attacks.map((group) => ({ ...group, facets: ['reflection'] }));
    const impossible = EvaluationPlan.parse({ ...plan, attacks });
    await client.ask({
      id: 'impossible',
      type: 'evaluation.requested',
      data: { model, dataset, plan: impossible },
    });
    const end = await client.hear(['evaluation.completed', 'evaluation.failed'], from);
    if (end.type !== 'evaluation.failed')
      throw new Error('a plan for a facet that is not there was evaluated');
    refused = end.data.evaluation;
  });
  // It fails at once, before it could be slow.
  await client.traced('evaluate on nothing', async () => {
    const from = client.now;
    const nothing = { name: 'nothing', version: '1' };
    await client.ask({
      id: 'nothing',
      type: 'evaluation.requested',
      data: { model, dataset: nothing, plan },
    });
    await client.hear(['evaluation.failed'], from);
  });
  await client.traced('nonsense', () => client.askNonsense('nonsense'));
  return {
    jaeger,
    prometheus,
    logs,
    cluster,
    trace,
    evaluation,
    second,
    reports: [before, after],
    warnings,
    failed: { trace: failedTrace, evaluation: refused },
    dull,
    close,
  };
}

async function reportOf(store: ObjectStore, evaluation: string): Promise<Uint8Array> {
  const report = await store.get(keys.evaluation.report(evaluation, 'json'));
  if (report === undefined) throw new Error(`evaluation ${evaluation} has no report`);
  return report.bytes();
}
