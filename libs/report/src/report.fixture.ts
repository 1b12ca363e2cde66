/**
 * A report as a real evaluation would write it, its rates shaped by what SFA measured on synthetic faces. Long because
 * a report has many parts and the fixture states each of them once.
 */
import {
  type CellReport,
  type Change,
  EvaluationPlan,
  type FacetCurve,
  formatSearch,
  type Norm,
  type ObjectiveName,
  Report,
  type SearchConfig,
} from '@facet/contracts';

const LIVE = 200;
const SPECIES: readonly [name: string, samples: number, clean: number][] = [
  ['3d-mask', 60, 0.083],
  ['a4', 110, 0.018],
  ['pad', 120, 0.033],
  ['phone', 110, 0.027],
];
const FACETS = ['attributes', 'spoof-type', 'illumination', 'depth', 'reflection'] as const;
const EPSILONS = [1, 2, 4, 8];
const FGSM: SearchConfig = { name: 'fgsm' };
const PGD: SearchConfig = { name: 'pgd', steps: 10, restarts: 1 };

const RATES: Readonly<Record<string, readonly number[]>> = {
  'live direct': [0.726, 0.958, 0.994, 1],
  'attributes facet': [0.114, 0.221, 0.338, 0.402],
  'attributes sfa': [0.648, 0.931, 0.985, 1],
  'spoof-type facet': [0.452, 0.58, 0.631, 0.66],
  'spoof-type sfa': [0.689, 0.942, 0.988, 1],
  'illumination facet': [0.533, 0.678, 0.741, 0.79],
  'illumination sfa': [0.662, 0.936, 0.981, 0.998],
  'depth facet': [0.571, 0.664, 0.722, 0.787],
  'depth sfa': [0.71, 0.944, 0.99, 1],
  'reflection facet': [0.462, 0.571, 0.652, 0.7],
  'reflection sfa': [0.655, 0.921, 0.972, 0.99],
  control: [0.021, 0.064, 0.102, 0.165],
};

/** Wilson's score interval, as the evaluation computes it. */
function wilson(succeeded: number, attempted: number): [number, number] | null {
  if (attempted === 0) return null;
  const rate = succeeded / attempted;
  const z2 = 1.96 ** 2 / attempted;
  const centre = (rate + z2 / 2) / (1 + z2);
  const half = (1.96 / (1 + z2)) * Math.sqrt((rate * (1 - rate)) / attempted + z2 / (4 * attempted));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

const success = (attempted: number, rate: number) => {
  const succeeded = Math.round(attempted * Math.min(1, Math.max(0, rate)));
  return { attempted, succeeded, rate: attempted === 0 ? null : succeeded / attempted };
};

type Place = { facet: string; objective: ObjectiveName; search: SearchConfig; norm: Norm; steps: number };

function cellOf({ facet, objective, search, norm, steps }: Place): CellReport {
  const rates = RATES[`${facet} ${objective}`] ?? RATES.control;
  const weaker = (search.name === 'fgsm' ? 0.72 : 1) * (norm === 'l2' ? 0.9 : 1);
  const rate = rates[EPSILONS.indexOf(steps)] * weaker;
  const bySpecies = Object.fromEntries(
    SPECIES.map(([name, samples, clean], i) => [
      name,
      success(Math.round(samples * (1 - clean)), rate ** (0.75 + 0.15 * i)),
    ]),
  );
  const liveAsSpoof = success(194, rate * 0.94);
  const attempted = Object.values(bySpecies).reduce((sum, one) => sum + one.attempted, 0);
  const fooled = Object.values(bySpecies).reduce((sum, one) => sum + one.succeeded, 0);
  const total = { attempted: attempted + 194, succeeded: fooled + liveAsSpoof.succeeded };
  const epsilon = steps / 255;
  return {
    id: `${facet}.${objective}.${formatSearch(search)}.${norm}-${steps}-255`,
    facet,
    objective,
    search: formatSearch(search),
    norm,
    epsilon,
    samples: 600,
    attempted: total.attempted,
    succeeded: total.succeeded,
    attackSuccessRate: total.succeeded / total.attempted,
    interval: wilson(total.succeeded, total.attempted),
    directions: {
      spoofAsLive: { attempted, succeeded: fooled, rate: fooled / attempted },
      liveAsSpoof,
    },
    bySpecies,
    byIllumination: { dark: success(120, rate), normal: success(280, rate * 0.9) },
    byAttribute: { eyeglasses: { present: success(60, rate * 1.1), absent: success(140, rate) } },
    robustApcer: Math.min(1, 0.083 + rate * 0.917),
    robustBpcer: Math.min(1, 0.03 + rate * 0.9),
    robustAuc: Math.max(0, 0.993 - rate * 0.96),
    robustAucInterval: [Math.max(0, 0.98 - rate * 0.96), Math.max(0, 0.997 - rate * 0.95)],
    calibrated: { attackSuccessRate: rate, robustApcer: Math.min(1, 0.08 + rate), robustBpcer: rate },
    maxLinf: norm === 'linf' ? epsilon : Math.min(1, epsilon * 4),
    meanL2: epsilon * 0.86,
  };
}

function cellsOf(): CellReport[] {
  const rows: [string, ObjectiveName][] = [
    ['live', 'direct'],
    ...(['facet', 'sfa', 'control'] as const).flatMap((objective) =>
      FACETS.map((facet): [string, ObjectiveName] => [facet, objective]),
    ),
  ];
  const blocks: [SearchConfig, Norm, number[]][] = [
    [FGSM, 'linf', EPSILONS],
    [PGD, 'linf', EPSILONS],
    [PGD, 'l2', [2, 4]],
  ];
  return rows.flatMap(([facet, objective]) =>
    blocks.flatMap(([search, norm, all]) =>
      all.map((steps) => cellOf({ facet, objective, search, norm, steps })),
    ),
  );
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

function curvesOf(cells: readonly CellReport[]): FacetCurve[] {
  return groupBy(cells, (cell) => [cell.facet, cell.objective, cell.search, cell.norm].join()).map(
    (group) => {
      const points = group.map(({ epsilon, attackSuccessRate }) => ({ epsilon, attackSuccessRate }));
      let [area, x, y] = [0, 0, 0];
      for (const { epsilon, attackSuccessRate: rate } of points) {
        area += ((epsilon - x) * ((rate ?? 0) + y)) / 2;
        [x, y] = [epsilon, rate ?? 0];
      }
      const { facet, objective, search, norm } = group[0];
      return {
        facet,
        objective,
        search,
        norm,
        points,
        areaUnderSuccess: area / x,
        areaInterval: [Math.max(0, area / x - 0.04), Math.min(1, area / x + 0.04)],
        medianMinimalEpsilon:
          points.find(({ attackSuccessRate: rate }) => (rate ?? 0) > 0.5)?.epsilon ?? null,
        medianInterval: null,
        directions: {
          spoofAsLive: { areaUnderSuccess: (area / x) * 0.9, medianMinimalEpsilon: null },
          liveAsSpoof: { areaUnderSuccess: area / x, medianMinimalEpsilon: 1 / 255 },
        },
      };
    },
  );
}

function gainsOf(cells: readonly CellReport[]): Report['gains'] {
  const auxiliary = cells.filter(({ facet }) => facet !== 'live');
  return groupBy(auxiliary, (cell) => [cell.search, cell.norm, cell.epsilon].join()).map((group) => {
    const mean = (objective: ObjectiveName): number | null => {
      const own = group.filter((cell) => cell.objective === objective);
      return own.length === 0
        ? null
        : own.reduce((sum, cell) => sum + (cell.attackSuccessRate ?? 0), 0) / own.length;
    };
    const [facet, sfa] = [mean('facet'), mean('sfa')];
    const { search, norm, epsilon } = group[0];
    return {
      search,
      norm,
      epsilon,
      facet,
      sfa,
      control: mean('control'),
      gain: facet === null || sfa === null ? null : sfa - facet,
      interval: facet === null || sfa === null ? null : [sfa - facet - 0.04, sfa - facet + 0.04],
    };
  });
}

function facetsOf(): Report['facets'] {
  const ranks = [5, 2, 3, 1, 4];
  return FACETS.map((facet, i) => ({
    facet,
    source: 'head' as const,
    feature: `features/${facet}`,
    dimensions: 32,
    probeAccuracy: [0.961, 0.968, 0.944, 0.972, 0.957][i],
    priorSamples: { live: 412, spoof: 588 },
    rank: ranks[i],
    rankInterval: [Math.max(1, ranks[i] - 1), ranks[i]],
    weakestShare: ranks[i] === 1 ? 0.87 : 0.03,
  }));
}

const PLAN = EvaluationPlan.parse({
  schema: 'facet.plan/v1',
  name: 'standard',
  seed: 7,
  samples: 600,
  batch: 32,
  shard: 200,
  attacks: [
    {
      objectives: ['direct', 'facet', 'sfa', 'control'],
      searches: [FGSM, PGD],
      threats: EPSILONS.map((steps) => ({ norm: 'linf', epsilon: `${steps}/255` })),
    },
    {
      objectives: ['direct', 'facet', 'sfa', 'control'],
      searches: [PGD],
      threats: ['2/255', '4/255'].map((epsilon) => ({ norm: 'l2', epsilon })),
    },
  ],
});

/** The realistic report, with `changes` in place of its own fields; always one that the schema accepts. */
export function fixtureReport(changes: Partial<Report> = {}): Report {
  const cells = cellsOf();
  return Report.parse({
    schema: 'facet.report/v1',
    evaluation: 'multitask-1.0.0-faces-2-0f3c5a91',
    model: { name: 'multitask', version: '1.0.0', sha256: 'a1'.repeat(32) },
    dataset: { name: 'synthetic-faces', version: '2', digest: '0b'.repeat(32) },
    plan: PLAN,
    clean: {
      split: 'test',
      samples: 600,
      live: LIVE,
      spoof: 400,
      threshold: 0.53712,
      thresholdSource: 'dev-eer',
      accuracy: 0.965,
      apcer: 0.083,
      apcerBySpecies: Object.fromEntries(SPECIES.map(([name, samples, apcer]) => [name, { samples, apcer }])),
      bpcer: 0.03,
      acer: 0.0565,
      hter: 0.0337,
      eer: 0.0335,
      auc: 0.99312,
      aucInterval: [0.985, 0.998],
      calibrated: { threshold: 0.53712, split: 'dev', accuracy: 0.965, apcer: 0.083, bpcer: 0.03 },
      bpcer10: 0.01,
      bpcer20: 0.025,
      bpcer100: 0.09,
      tprAtFpr: { '0.001': 0.87, '0.005': 0.915, '0.01': 0.94 },
    },
    facets: facetsOf(),
    cells,
    curves: curvesOf(cells),
    gains: gainsOf(cells),
    ranking: { search: 'pgd-10', norm: 'linf', epsilons: [1 / 255], saturated: [2 / 255, 4 / 255, 8 / 255] },
    worst: WORST,
    baseline: comparisonOf(cells),
    verdict: {
      policy: 'release',
      passed: false,
      checks: [
        { name: 'clean ACER at most', passed: true, actual: 0.0565, limit: 0.08 },
        { name: 'clean AUC at least', passed: true, actual: 0.99312, limit: 0.98 },
        {
          name: 'attack success at most, direct, epsilon <= 2/255',
          passed: false,
          actual: 0.958,
          limit: 0.4,
        },
        { name: 'attack success at most, texture', passed: false, actual: null, limit: 0.4 },
      ],
    },
    notes: [],
    provenance: {
      facet: '0.1.0',
      seed: 7,
      backend: 'onnxruntime-node 1.23.0, cpu, 4 threads',
      cpu: 'Example CPU @ 2.10GHz',
      recheck: { images: 96, agreed: 96 },
    },
    ...changes,
  });
}

/** A report of a plain classifier: only its decision could be attacked, on three samples, without a policy. */
export function smallReport(changes: Partial<Report> = {}): Report {
  const success = { attempted: 3, succeeded: 1, rate: 1 / 3 };
  const cell: CellReport = {
    ...cellOf({ facet: 'live', objective: 'direct', search: FGSM, norm: 'linf', steps: 2 }),
    samples: 3,
    attempted: 3,
    succeeded: 1,
    attackSuccessRate: 1 / 3,
    interval: wilson(1, 3),
    directions: { spoofAsLive: success, liveAsSpoof: { attempted: 0, succeeded: 0, rate: null } },
    bySpecies: { unnamed: success },
    robustBpcer: null,
    robustAuc: null,
    robustAucInterval: null,
    byAttribute: {},
  };
  return fixtureReport({
    plan: EvaluationPlan.parse({
      ...PLAN,
      samples: 3,
      attacks: [{ objectives: ['direct'], searches: [FGSM], threats: [{ norm: 'linf', epsilon: '2/255' }] }],
    }),
    clean: {
      ...fixtureReport().clean,
      samples: 3,
      live: 0,
      spoof: 3,
      thresholdSource: 'boundary',
      threshold: 0,
      accuracy: 1,
      bpcer: null,
      acer: null,
      hter: null,
      eer: null,
      auc: null,
      aucInterval: null,
      calibrated: null,
      apcerBySpecies: { unnamed: { samples: 3, apcer: 0 } },
      tprAtFpr: { '0.01': null },
    },
    facets: [],
    cells: [cell],
    curves: curvesOf([cell]),
    gains: [],
    ranking: { search: 'fgsm', norm: 'linf', epsilons: [2 / 255], saturated: [] },
    baseline: null,
    worst: [],
    verdict: { policy: null, passed: true, checks: [] },
    notes: ['The dataset has no dev split: the threshold is the decision boundary of the model.'],
    ...changes,
  });
}

/** The model is weaker than its baseline through one facet, stronger through another, and otherwise the same. */
function comparisonOf(cells: readonly CellReport[]): Report['baseline'] {
  const changeOf = (current: number | null, delta: number, change: Change['change']): Change => ({
    baseline: current === null ? null : Math.min(1, Math.max(0, current - delta)),
    current,
    delta,
    interval: [delta - 0.03, delta + 0.03],
    change,
  });
  return {
    model: { name: 'multitask', version: '0.9.0', sha256: 'c3'.repeat(32) },
    evaluation: 'multitask-0.9.0-faces',
    samples: 600,
    clean: { accuracy: changeOf(0.965, 0.01, 'within-noise'), auc: changeOf(0.99312, 0.002, 'within-noise') },
    cells: cells.map(({ id, facet, objective, search, norm, epsilon, attackSuccessRate, robustAuc }) => {
      const worse = facet === 'depth';
      const better = facet === 'attributes';
      const change = worse ? 'worse' : better ? 'better' : 'within-noise';
      const delta = worse ? 0.12 : better ? -0.2 : 0.01;
      return {
        ...{ id, facet, objective, search, norm, epsilon },
        attackSuccessRate: changeOf(attackSuccessRate, delta, change),
        robustAuc: changeOf(robustAuc, -delta, change),
      };
    }),
  };
}

const WORST: Report['worst'] = [
  {
    cell: 'depth.sfa.pgd-10.linf-1-255',
    shard: 0,
    key: 'test_000017',
    label: 'spoof',
    species: 'a4',
    epsilon: 1 / 255,
    cleanScore: 0.1183,
    adversarialScore: 0.9312,
  },
  {
    cell: 'attributes.sfa.pgd-10.linf-1-255',
    shard: 2,
    key: 'test_000433',
    label: 'live',
    species: null,
    epsilon: 1 / 255,
    cleanScore: 0.9114,
    adversarialScore: 0.0421,
  },
];
