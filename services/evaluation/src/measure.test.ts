import { Collector } from '@facet/collector';
import { startTelemetry } from '@facet/telemetry';
import { expect, it, vi } from 'vitest';
import { formatEpsilon, measure, type Measured } from './measure.js';

it('writes an epsilon as people do, so that one threat model is one series', () => {
  expect(formatEpsilon(2 / 255)).toBe('2/255');
  expect(formatEpsilon(0.00784313725)).toBe('2/255');
  expect(formatEpsilon(0.5 / 255)).toBe('0.00196');
  expect(formatEpsilon(0.1)).toBe('0.1');
  expect(formatEpsilon(1)).toBe('255/255');
});

const MODELS = 50;
const FACETS = ['live', 'attributes', 'spoof-type', 'illumination', 'depth', 'reflection'];
const OBJECTIVES = ['direct', 'facet', 'sfa'];
const EPSILONS = [2 / 255, 4 / 255, 8 / 255];

const reportOf = (model: number): Measured => ({
  model: { name: `model-${model}` },
  dataset: { name: 'faces' },
  clean: { acer: 0.1 },
  cells: FACETS.flatMap((facet) =>
    OBJECTIVES.flatMap((objective) =>
      EPSILONS.map((epsilon) => ({
        ...{ facet, objective, search: 'pgd', norm: 'linf', epsilon },
        attackSuccessRate: model / MODELS,
      })),
    ),
  ),
  verdict: { policy: 'strict', passed: model % 2 === 0 },
});

it('makes as many series of 50 models with 6 facets as there are cells, however often they are evaluated', async () => {
  const collector = await Collector.open();
  for (const [name, value] of Object.entries(collector.environment)) vi.stubEnv(name, value);
  const warnings: unknown[] = [];
  const log = { warn: (message: string) => void warnings.push(message) };
  const telemetry = await startTelemetry({ service: 'facet-evaluation', version: '1', log });
  for (let evaluation = 0; evaluation < 3; evaluation++)
    for (let model = 0; model < MODELS; model++) measure(reportOf(model), Date.now() - 60_000);
  await telemetry.close();
  await collector.close();
  vi.unstubAllEnvs();
  const series = new Map<string, number>();
  for (const { metric } of collector.points) series.set(metric, (series.get(metric) ?? 0) + 1);
  expect(Object.fromEntries(series)).toEqual({
    'facet.attack.success_rate': MODELS * FACETS.length * OBJECTIVES.length * EPSILONS.length,
    'facet.clean.acer': MODELS,
    'facet.report.timestamp': MODELS,
    'facet.verdicts': MODELS,
    'facet.evaluation.duration': 2,
  });
  expect(warnings).toEqual([]);
});
