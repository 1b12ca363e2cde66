/**
 * How much of an evaluation is computation by the model? The default plan, from its request to its report, beside the time that
 * its workers spend inside the sessions of the compute library. The rest is decoding and encoding images, the search's own
 * arithmetic, opening sessions, writing and joining results, the report, and waiting for any of them; the profile of the workers
 * says what. Of the demo's network, which takes less than a millisecond an image, and of one as deployed ones are, with random
 * weights: what they find costs nothing.
 */
import type { ModelManifest } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { preset } from '@facet/plans';
import { probedResNet } from '../attack/task.js';
import { trainedModel } from '../attack/trained.js';
import { evaluateOnce } from '../evaluation/evaluate.js';
import { WorkerProfiler } from '../evaluation/profile.js';
import { shares } from '../evaluation/shares.js';
import { withModel } from '../evaluation/subject.js';
import { compared, timed, timingOf } from '../frame/interleave.js';
import { THREADS } from '../frame/machine.js';
import type { Part, Tools } from '../frame/part.js';

const DEPLOYED = 'resnet18-112';
/** At most 5 % of the time outside the sessions. */
const TARGET = 1 / 0.95;

interface Case {
  readonly images: number;
  model(tools: Tools): Promise<{ readonly bytes: Uint8Array; readonly manifest: ModelManifest }>;
}

const CASES: ReadonlyMap<string, Case> = new Map([
  ['default', { images: 1_000, model: ({ log }) => trainedModel(log) }],
  // Twenty minutes' worth.
  [DEPLOYED, { images: 500, model: ({ peers }) => probedResNet(peers, DEPLOYED) }],
]);

export const evaluation: Part = {
  name: 'evaluation',
  about: `the default plan over the demo's network, or ${DEPLOYED}, beside the time inside the compute library's sessions`,
  cases: [...CASES.keys()],
  async *run(name, tools) {
    const { images, model } = CASES.get(name)!;
    const plan = { ...preset('default', 0), samples: images };
    yield await withModel(await model(tools), plan, tools.log, async (subject) => {
      const profiler = await WorkerProfiler.start();
      const engine = new Engine({ threads: THREADS });
      try {
        const { wallMs } = await evaluateOnce(subject, engine, plan, timed);
        const profiles = (await profiler.stop()).filter(({ name }) => name.startsWith('engine-'));
        const { sessions, ...others } = shares(profiles, wallMs * THREADS);
        return compared({
          subject: ['evaluation', timingOf([{ wallMs }])],
          baseline: ['its sessions', timingOf([{ wallMs: sessions * wallMs }])],
          target: TARGET,
          figures: others,
        });
      } finally {
        await engine.close();
      }
    });
  },
};
