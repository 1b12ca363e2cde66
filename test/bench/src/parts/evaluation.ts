/**
 * How much of an evaluation is computation by the model? The default plan over the demo's network and 1,000 images, from its
 * request to its report, beside the time that its workers spend inside the sessions of the compute library. The rest is
 * decoding and encoding images, the search's own arithmetic, opening sessions, writing and joining results, the report,
 * and waiting for any of them; the profile of the workers says what.
 */
import { Engine } from '@facet/engine';
import { preset } from '@facet/plans';
import { evaluateOnce } from '../evaluation/evaluate.js';
import { WorkerProfiler } from '../evaluation/profile.js';
import { shares } from '../evaluation/shares.js';
import { withSubject } from '../evaluation/subject.js';
import { compared, timed, timingOf } from '../frame/interleave.js';
import { THREADS } from '../frame/machine.js';
import type { Part } from '../frame/part.js';

const IMAGES = 1_000;
/** At most 5 % of the time outside the sessions. */
const TARGET = 1 / 0.95;

const plan = { ...preset('default', 0), samples: IMAGES };

export const evaluation: Part = {
  name: 'evaluation',
  about: `the default plan over ${IMAGES} images, beside the time inside the compute library's sessions`,
  cases: ['default'],
  async *run(_, { log }) {
    yield await withSubject(plan, log, async (subject) => {
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
