/** How long is it to the report, and what does it cost, with 1 to 1,000 GPU pods? A simulation; its assumptions are named. */
import type { Part } from '../frame/part.js';
import { ASSUMED, WORK } from '../scale/assumptions.js';
import { simulate } from '../scale/evaluation.js';

const PODS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const SEED = 1;
/** The queue's threshold as it is, and one more pod for every job that waits. */
const JOBS_PER_POD = [ASSUMED.jobsPerPod, 1];

export const scale: Part = {
  name: 'scale',
  about: 'time to the report and its cost for 1 to 1,000 GPU pods, simulated',
  cases: Object.keys(WORK),
  async *run(name) {
    const work = WORK[name as keyof typeof WORK];
    for (const jobsPerPod of JOBS_PER_POD) {
      let fewerPodsS = Infinity;
      for (const pods of PODS) {
        const { podsUsed, ...figures } = simulate({ ...work, pods, seed: SEED }, { ...ASSUMED, jobsPerPod });
        // The same work again with more pods allowed than are wanted is no new row.
        const wanted = podsUsed === pods || pods === PODS.find((more) => more >= podsUsed);
        if (!wanted) continue;
        const passed = figures.reportS <= fewerPodsS;
        fewerPodsS = figures.reportS;
        yield {
          check: {
            subject: `at most ${pods} pods, one per ${jobsPerPod} jobs`,
            passed,
            figures: { ...work, podsUsed, ...figures },
            ...(!passed && { problem: 'the report comes later than with fewer pods' }),
          },
        };
      }
    }
  },
};
