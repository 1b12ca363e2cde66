import { AUXILIARY_FACETS, type DefendedFigures, type Report, Study } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { networksOf, type StudyNetwork } from './networks.js';
import { readStudy, STUDIES } from './read.js';
import { summarise } from './summarise.js';

const plan = {
  schema: 'facet.plan/v1',
  name: 'p',
  samples: 8,
  batch: 4,
  shard: 4,
  attacks: [
    { objectives: ['direct'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: 0.01 }] },
  ],
};
const studyOf = (changes: object = {}): Study =>
  Study.parse({
    schema: 'facet.study/v1',
    name: 'small',
    backbones: ['resnet-small', 'vgg-small'],
    features: [[], ['depth'], ['reflection']],
    seeds: [0, 1, 2],
    dataset: { size: 16, samples: { train: 8, dev: 8, test: 8 } },
    recipe: {
      epochs: 1,
      batch: 4,
      parts: 1,
      learningRate: 0.1,
      optimiser: { kind: 'sgd', momentum: 0, weightDecay: 0 },
      warmupSteps: 0,
    },
    plan,
    ...changes,
  });

/** A network's report with what a study reads of it. */
function reportOf({ model }: StudyNetwork, area: number, accuracy = 0.95): Report {
  const direct = { facet: 'live', objective: 'direct', search: 'fgsm', norm: 'linf' };
  return {
    evaluation: `of ${model.version}`,
    clean: { accuracy, auc: 0.99 },
    cells: [{ ...direct, epsilon: 0.01, robustAuc: 0.5 }],
    curves: [{ ...direct, points: [{ epsilon: 0.01, attackSuccessRate: area }], areaUnderSuccess: area }],
    gains: [],
    provenance: { facet: '1', backend: 'b', cpu: 'c' },
  } as unknown as Report;
}

/** Depth takes away 0.2, reflection nothing beyond noise; vgg is a little worse than resnet. */
function areaOf({ backbone, features, seed }: StudyNetwork): number {
  const noise =
    [0.01, -0.02, 0.015][seed] * (features === 'reflection' ? (backbone === 'vgg-small' ? -1 : 1) : 0.1);
  return 0.6 + (backbone === 'vgg-small' ? 0.05 : 0) - (features === 'depth' ? 0.2 : 0) + noise;
}

const summaryOf = (study: Study, accuracy?: number) =>
  summarise(
    study,
    networksOf(study).map((network) => ({ network, report: reportOf(network, areaOf(network), accuracy) })),
  );

describe('networksOf', () => {
  it('trains every backbone with every set of features under every seed, each under a name of its own', () => {
    const networks = networksOf(studyOf());
    expect(networks).toHaveLength(2 * 3 * 3);
    expect(new Set(networks.map(({ model }) => `${model.name}@${model.version}`)).size).toBe(18);
    expect(networks.slice(0, 6).every(({ seed }) => seed === 0)).toBe(true);
  });

  it('finds the networks that two studies share, whatever their plan', () => {
    const versions = (study: Study) => networksOf(study).map(({ model }) => model.version);
    const [own, other] = [
      versions(studyOf()),
      versions(studyOf({ seeds: [2, 7], plan: { ...plan, seed: 4 } })),
    ];
    expect(own.filter((version) => other.includes(version))).toHaveLength(6);
  });

  it('means none, each and all of the features unless told otherwise', () => {
    const names = networksOf(studyOf({ features: undefined, backbones: ['resnet-small'], seeds: [0] }));
    expect(names.map(({ features }) => features)).toEqual(['none', ...AUXILIARY_FACETS, 'all']);
  });
});

describe('summarise', () => {
  it('tells what makes a network harder to attack from what is within noise', () => {
    const { features, backbones, combinations } = summaryOf(studyOf());
    expect(features[0].name).toBe('depth');
    const by = new Map(features.map((one) => [one.name, one]));
    expect(by.get('depth')!.change).toBe('harder');
    expect(by.get('none')!.change).toBe('reference');
    expect(by.get('reflection')!.change).toBe('within-noise');
    expect(by.get('depth')!.difference!.mean).toBeCloseTo(-0.2, 2);
    expect(backbones.map(({ name, change }) => [name, change])).toEqual([
      ['resnet-small', 'harder'],
      ['vgg-small', 'easier'],
    ]);
    expect(combinations[0]).toMatchObject({ backbone: 'resnet-small', features: 'depth' });
    expect(combinations[0].vulnerability!.values).toHaveLength(3);
  });

  it('concludes nothing from a single seed and a single backbone', () => {
    const summary = summaryOf(studyOf({ seeds: [0], backbones: ['resnet-small'] }));
    expect(
      summary.features.filter(({ change }) => change !== 'reference').map(({ change }) => change),
    ).toEqual(['unknown', 'unknown']);
    expect(summary.backbones[0]).toMatchObject({ change: 'unknown', difference: null });
    expect(summary.notes).toEqual([expect.stringContaining('a single seed')]);
  });

  it('says where networks were too weak to conclude from', () => {
    expect(summaryOf(studyOf(), 0.7).notes).toEqual([expect.stringContaining('18 of 18 networks')]);
  });
});

describe('a study of defences', () => {
  const study = studyOf({
    backbones: ['resnet-small'],
    features: [['depth']],
    defences: {
      none: null,
      direct: { threat: { norm: 'linf', epsilon: '2/255' } },
      spoilt: { threat: { norm: 'linf', epsilon: '8/255' } },
    },
  });
  const networks = networksOf(study);

  it("trains every network by each, in the order of the file, in the place of the recipe's own", () => {
    expect(networks.map(({ defence, seed }) => `${defence} ${seed}`)).toEqual(
      [0, 1, 2].flatMap((seed) => ['none', 'direct', 'spoilt'].map((name) => `${name} ${seed}`)),
    );
    const [none, direct] = networks.map(({ recipe }) => recipe.adversarial);
    expect(none).toBeUndefined();
    expect(direct).toMatchObject({ threat: { epsilon: 2 / 255 }, search: { name: 'fast' } });
    const own = studyOf({ recipe: { ...study.recipe, adversarial: direct } });
    expect(networksOf(own)[0].recipe.adversarial).toEqual(direct);
    expect(new Set(networks.map(({ model }) => model.version)).size).toBe(networks.length);
  });

  it('gives what each costs and buys over the seeds, and marks those that no other beats on all counts', () => {
    const figures: Readonly<Record<string, readonly [number, number]>> = {
      none: [0.99, 0.2],
      direct: [0.97, 0.7],
      spoilt: [0.9, 0.6],
    };
    const finished = networks.map((network) => {
      const [clean, robust] = figures[network.defence!];
      const defended: DefendedFigures = {
        clean: clean + network.seed / 1000,
        shifted: clean - 0.1,
        unseen: null,
        attacked: [{ epsilon: 2 / 255, auc: robust, success: 1 - robust }],
        sfa: 0.5,
      };
      return { network, report: reportOf(network, 0.5), defended };
    });
    const { defences, combinations } = summarise(study, finished);
    expect(defences.map(({ defence, efficient }) => [defence, efficient])).toEqual([
      ['none', true],
      ['direct', true],
      ['spoilt', false],
    ]);
    expect(defences[0]).toMatchObject({ unseen: null, attacked: [{ epsilon: 2 / 255 }] });
    expect(defences[0].clean!.values).toEqual([0.99, 0.991, 0.992]);
    expect(combinations.map(({ defence }) => defence).sort()).toEqual(['direct', 'none', 'spoilt']);
  });
});

describe('studies that have a name', () => {
  it.each(STUDIES)('%s is whole', async (name) => {
    expect(await readStudy(name)).toMatchObject({ name });
  });

  it('ask the whole question by default: every small backbone, none, each and all of the features, two seeds', async () => {
    expect(networksOf(await readStudy('default'))).toHaveLength(4 * 7 * 2);
  });
});
