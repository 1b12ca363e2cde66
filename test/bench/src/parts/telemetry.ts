/**
 * What does telemetry cost an evaluation? The quick plan on a small network, with everything sent to a process that forgets
 * it and without, in turns. What is left at the end is sent within the measured time.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Engine } from '@facet/engine';
import { preset } from '@facet/plans';
import { startTelemetry } from '@facet/telemetry';
import { openWorld, type World } from '@facet/world';
import { evaluateOnce } from '../evaluation/evaluate.js';
import { compared, interleave, type Sample, timed, type Timing } from '../frame/interleave.js';
import { pairedRatio } from '../frame/pairs.js';
import type { Part } from '../frame/part.js';

const TARGET = 1.03;
const THREADS = 2;
/** A run varies by some 3 % on an idle machine: so many rounds tell 1 % from nothing. */
const ROUNDS = { minimum: 14, budgetMs: 90_000 };

const plan = preset('quick', 0);

/** Runs one evaluation; `endpoint` is where telemetry goes, none without. */
async function evaluation(world: World, engine: Engine, endpoint: string | undefined): Promise<Sample> {
  const lost: string[] = [];
  if (endpoint === undefined) delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  else process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint;
  const log = { warn: (message: string) => void lost.push(message) };
  const telemetry = await startTelemetry({ service: 'facet-bench', version: '0.0.0', log });
  const sample = await evaluateOnce(world, engine, plan, (work) =>
    timed(async () => {
      await work();
      await telemetry.close();
    }),
  );
  if (lost.length > 0) throw new Error(lost.join('; '));
  return sample;
}

/** Of the CPU time of all threads: steadier than the wall clock's where other processes run. */
const cpuRatio = (...timings: readonly [Timing, Timing]): number => {
  const [sent, off] = timings.map(({ samples }) => samples.map(({ cpuMs = NaN }) => cpuMs));
  return pairedRatio(sent, off).ratio;
};

export const telemetry: Part = {
  name: 'telemetry',
  about: 'an evaluation by the quick plan with its traces and metrics sent, beside the same without',
  cases: ['evaluation'],
  async *run() {
    const sink = fork(new URL('../telemetry/sink.js', import.meta.url));
    const world = await openWorld({ train: plan.priorSamples, dev: 40, test: plan.samples });
    const engine = new Engine({ threads: THREADS });
    try {
      const [port] = (await once(sink, 'message')) as [number];
      const timings = await interleave(
        {
          sent: () => evaluation(world, engine, `http://127.0.0.1:${port}`),
          off: () => evaluation(world, engine, undefined),
        },
        ROUNDS,
      );
      yield compared({
        subject: ['telemetry sent', timings.sent],
        baseline: ['telemetry off', timings.off],
        target: TARGET,
        figures: { cpuRatio: cpuRatio(timings.sent, timings.off) },
      });
    } finally {
      await engine.close();
      await world.close();
      sink.disconnect();
    }
  },
};
