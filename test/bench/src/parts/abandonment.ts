/**
 * What do samples cost that a search leaves behind, and what do they save? The same evaluation of the demo's network twice, with
 * `abandon` and without: its time, and by cells what success it lost.
 */
import { type EvaluationPlan, Report, SearchConfig } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { preset } from '@facet/plans';
import { type ObjectStore, readJson } from '@facet/store';
import { trainedModel } from '../attack/trained.js';
import { evaluateOnce, type Subject } from '../evaluation/evaluate.js';
import { withModel } from '../evaluation/subject.js';
import type { Finding } from '../frame/findings.js';
import { compared, mean, timed, timingOf } from '../frame/interleave.js';
import { THREADS } from '../frame/machine.js';
import type { Part } from '../frame/part.js';

const SHARES = [0.3, 0.4] as const;

function planOf(abandon?: number): EvaluationPlan {
  const search = { name: 'pgd', steps: 10, relativeStep: 1, schedule: 'cosine', abandon };
  const levels = [1, 2, 4].map((level) => ({ norm: 'linf' as const, epsilon: level / 255 }));
  return {
    ...preset('default', 0),
    attacks: [
      {
        facets: 'all',
        objectives: ['direct', 'facet', 'sfa'],
        searches: [SearchConfig.parse(search)],
        threats: [...levels, { norm: 'l2', epsilon: 1 / 255 }],
      },
    ],
  };
}

/** Success by cell, whichever search it was. */
async function successes(store: ObjectStore): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { key } of store.list('evaluations/')) {
    if (!key.endsWith('/report.json')) continue;
    const report = await readJson(store, key, (value) => Report.parse(value));
    for (const { facet, objective, norm, epsilon, attackSuccessRate } of report?.cells ?? [])
      found.set(JSON.stringify([facet, objective, norm, epsilon]), attackSuccessRate ?? 0);
  }
  return found;
}

async function evaluated(subject: Subject, engine: Engine, plan: EvaluationPlan) {
  const sample = await evaluateOnce(subject, engine, plan, timed);
  return { timing: timingOf([sample]), success: await successes(subject.store) };
}

export const abandonment: Part = {
  name: 'abandonment',
  about:
    'an evaluation whose searches leave samples behind, beside one whose searches do not: time, and success lost',
  cases: ['pgd-10'],
  async *run(_, { log }) {
    yield* await withModel(await trainedModel(log), planOf(), log, async (subject) => {
      const findings: Finding[] = [];
      const engine = new Engine({ threads: THREADS });
      try {
        // Opens the sessions, which does not count.
        await evaluated(subject, engine, planOf());
        const whole = await evaluated(subject, engine, planOf());
        for (const share of SHARES) {
          const part = await evaluated(subject, engine, planOf(share));
          const lost = [...whole.success].map(([cell, rate]) => rate - part.success.get(cell)!);
          findings.push(
            compared({
              subject: [`abandon ${share}`, part.timing],
              baseline: ['to the end', whole.timing],
              success: [mean([...part.success.values()]), mean([...whole.success.values()])],
              figures: { cells: lost.length, meanLost: mean(lost), mostLost: Math.max(...lost) },
            }),
          );
        }
        return findings;
      } finally {
        await engine.close();
      }
    });
  },
};
