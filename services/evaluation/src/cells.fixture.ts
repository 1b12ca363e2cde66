/** Plans, features, outcomes and cell reports, as plain as a test wants them. */
import type { StoredFeatures } from '@facet/catalog';
import {
  type AttackGroup,
  type CellReport,
  EvaluationPlan,
  type Outcome,
  type SearchConfig,
  type ThreatModel,
} from '@facet/contracts';
import type { JudgedCell } from './judge.js';

export const FGSM: SearchConfig = { name: 'fgsm' };
export const PGD: SearchConfig = { name: 'pgd', steps: 5, restarts: 1 };
export const linf = (levels: number): ThreatModel => ({ norm: 'linf', epsilon: levels / 255 });
export const l2 = (levels: number): ThreatModel => ({ norm: 'l2', epsilon: levels / 255 });

export const planOf = (attacks: readonly AttackGroup[], changes: object = {}): EvaluationPlan =>
  EvaluationPlan.parse({
    schema: 'facet.plan/v1',
    name: 'plan',
    seed: 1,
    samples: 8,
    batch: 4,
    shard: 4,
    attacks,
    ...changes,
  });

export const groupOf = (changes: Partial<AttackGroup> = {}): AttackGroup => ({
  facets: 'all',
  objectives: ['direct', 'facet', 'sfa'],
  searches: [FGSM],
  threats: [linf(2)],
  ...changes,
});

const prior = { weights: Float32Array.of(1), bias: 0 };

/** Features of a model with these facets; priors for those in `fitted`, which may name the texture. */
export function featuresOf(
  facets: readonly string[],
  fitted: readonly string[],
  threshold = 0,
): StoredFeatures {
  const priors = Object.fromEntries(fitted.map((name) => [name, prior]));
  return {
    summary: {
      schema: 'facet.features/v1',
      modelDigest: 'a'.repeat(64),
      datasetDigest: 'b'.repeat(64),
      threshold: { value: threshold, source: 'dev-eer', samples: 4 },
      texture: 'map',
      facets: facets.map((facet) => ({
        facet,
        // A facet called plain is a tensor of the graph; all others have heads.
        source: facet === 'plain' ? ('tensor' as const) : ('head' as const),
        feature: `${facet}.feature`,
        dimensions: 1,
        probeAccuracy: null,
        priorSamples: null,
      })),
      notes: [],
    },
    priors,
    controls: Object.fromEntries(fitted.map((name) => [name, [prior.weights]])),
    probes: {},
  };
}

/** A sample's outcome at threshold 0. */
export function outcome(
  key: string,
  label: 'live' | 'spoof',
  cleanScore: number,
  adversarialScore: number,
  species: string | null = label === 'live' ? 'live' : 'phone',
): Outcome {
  const right = (score: number): boolean => score >= 0 === (label === 'live');
  return {
    key,
    label,
    species,
    illumination: null,
    cleanScore,
    adversarialScore,
    correct: right(cleanScore),
    fooled: right(cleanScore) && !right(adversarialScore),
    linf: 2 / 255,
    l2: 1 / 255,
  };
}

const nothing = { attempted: 0, succeeded: 0, rate: null };

export function cellReport(
  facet: string,
  objective: CellReport['objective'],
  attackSuccessRate: number | null,
  { search = 'fgsm', threat = linf(2) }: { search?: string; threat?: ThreatModel } = {},
): CellReport {
  return {
    id: `${facet}.${objective}.${search}.${threat.norm}-${threat.epsilon}`,
    facet,
    objective,
    search,
    norm: threat.norm,
    epsilon: threat.epsilon,
    samples: 10,
    attempted: 10,
    succeeded: 0,
    attackSuccessRate,
    interval: null,
    directions: { spoofAsLive: nothing, liveAsSpoof: nothing },
    bySpecies: {},
    byIllumination: {},
    byAttribute: {},
    robustApcer: null,
    robustBpcer: null,
    robustAuc: null,
    robustAucInterval: null,
    calibrated: null,
    maxLinf: 0,
    meanL2: 0,
  };
}

/** Judged samples `s0`, `s1`, ..., live and spoof in turn, of which the first `rate` of them fell; none was right for null. */
export function judgedCell(...args: Parameters<typeof cellReport>): JudgedCell {
  const [, , rate] = args;
  const n = 40;
  const live = Uint8Array.from({ length: n }, (_, i) => Number(i % 2 === 0));
  const fooled = Uint8Array.from({ length: n }, (_, i) => Number(rate !== null && i < rate * n));
  const attempted = new Uint8Array(n).fill(rate === null ? 0 : 1);
  return {
    report: cellReport(...args),
    keys: Array.from({ length: n }, (_, i) => `s${i}`),
    live,
    bits: { attempted, fooled },
    worstScores: Float64Array.from(live, (one, i) =>
      (one === 1) === (fooled[i] === 1) ? -1 - i / n : 1 + i / n,
    ),
  };
}
