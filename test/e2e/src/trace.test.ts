/** One evaluation is one trace, from the command to its report; and telemetry changes no byte of what is found. */
import { readFile } from 'node:fs/promises';
import { Collector } from '@facet/collector';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';
import { facesOf, networkOf, writeFiles } from './inputs.fixture.js';

const SIZE = 16;
const plan = {
  schema: 'facet.plan/v1',
  name: 'traced',
  seed: 4,
  samples: 12,
  batch: 4,
  shard: 4,
  priorSamples: 40,
  attacks: [
    {
      facets: ['depth', 'reflection'],
      objectives: ['facet'],
      searches: [{ name: 'fgsm' }],
      threats: [{ norm: 'linf', epsilon: '8/255' }],
    },
  ],
};
const CELLS = 2;
const SHARDS = CELLS * 3;

let folder: Awaited<ReturnType<typeof scratch>>;
let collector: Collector;
beforeAll(async () => {
  folder = await scratch();
  collector = await Collector.open();
  const { model, manifest } = networkOf(SIZE);
  const { dataset, images } = await facesOf(SIZE, { train: 60, dev: 20, test: 20 });
  await writeFiles(folder.path(), {
    'model.onnx': model,
    'manifest.json': manifest,
    'plan.json': plan,
    'faces/dataset.json': dataset,
  });
  await writeFiles(folder.path('faces'), images);
});
afterAll(async () => {
  await collector.close();
  await folder.remove();
});

/** Evaluates with these variables; gives the report's bytes and what the command said. */
async function evaluate(name: string, environment: Record<string, string>) {
  const files = {
    model: 'model.onnx',
    manifest: 'manifest.json',
    dataset: 'faces',
    plan: 'plan.json',
    out: name,
  };
  const args = Object.entries(files).flatMap(([option, file]) => [`--${option}`, folder.path(file)]);
  const { code, stderr } = await facet(['evaluate', ...args], { env: { ...process.env, ...environment } });
  expect(code, stderr).toBe(0);
  return { report: await readFile(folder.path(name, 'report.json')), stderr };
}

it('is one trace that holds every step, and the same report as without', async () => {
  const silent = await evaluate('silent', {});
  const traced = await evaluate('traced', collector.environment);
  expect(traced.report.equals(silent.report)).toBe(true);

  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(collector.orphans()).toEqual([]);
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(roots.map(({ name }) => name)).toEqual(['send facet.jobs.ingestion.cpu']);
  expect(spans.filter(({ failed }) => failed)).toEqual([]);

  const counts = new Map<string, number>();
  for (const { name } of spans) counts.set(name, (counts.get(name) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toMatchObject({
    'process facet.jobs.ingestion.cpu': 1,
    ingest: 1,
    'send facet.events.dataset.ingested.v1': 1,
    'process facet.events.dataset.ingested.v1': 1,
    'process facet.events.model.published.v1': 1,
    'process facet.events.evaluation.requested.v1': 1,
    'extract features': 1,
    'process facet.events.features.extracted.v1': 1,
    'send facet.jobs.attacks.cpu': SHARDS,
    'process facet.jobs.attacks.cpu': SHARDS,
    attack: SHARDS,
    'process facet.events.attack.completed.v1': SHARDS,
    conclude: 1,
    'send facet.events.evaluation.completed.v1': 1,
  });
  // By the command line; by evaluations that wait for a baseline too, unless the command has ended before.
  expect(counts.get('process facet.events.evaluation.completed.v1')).toBeGreaterThanOrEqual(1);
  const subject = spans.find(({ name }) => name === 'conclude')?.attributes['facet.evaluation'];
  expect(subject).toBe((JSON.parse(traced.report.toString()) as { evaluation: string }).evaluation);
});

it('is counted by service and pool, and its report is measured by facet and objective', () => {
  const last = collector.last.bind(collector);
  const jobs = { handler: 'attacks', pool: 'cpu', outcome: 'done' };
  expect(last('facet.job.duration', jobs)).toMatchObject({ count: SHARDS, unit: 's', service: 'facet' });
  expect(last('facet.job.attempts', jobs)).toMatchObject({ count: SHARDS, sum: SHARDS });
  expect(last('facet.images', { stage: 'attacks' })?.value).toBe(CELLS * plan.samples);
  expect(last('facet.verdicts', { model: 'network', outcome: 'no-policy' })?.value).toBe(1);
  expect(last('facet.store.operation.duration', { operation: 'put' })?.count).toBeGreaterThan(SHARDS);
  const cell = { model: 'network', dataset: 'faces', facet: 'depth', objective: 'facet', epsilon: '8/255' };
  expect(last('facet.attack.success_rate', { ...cell, search: 'fgsm', norm: 'linf' })).toBeDefined();
});

it('ends the same where no collector answers, with one warning', async () => {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: gone } = collector.environment;
  await collector.close();
  const lost = await evaluate('lost', { OTEL_EXPORTER_OTLP_ENDPOINT: gone });
  expect(lost.report.equals(await readFile(folder.path('silent', 'report.json')))).toBe(true);
  expect(lost.stderr.match(/telemetry/g)).toHaveLength(1);
});
