/** One valid value of every artifact and message, with as little as each allows. */
import type { Cell } from './plan.js';
import type { ARTIFACTS } from './json-schema.js';
import type { FactType, JobType } from './events.js';

export const DIGEST = 'ab'.repeat(32);
export const REF = { name: 'net', version: '1.0' };

export const MODEL = {
  schema: 'facet.model/v1',
  ...REF,
  input: { name: 'x', height: 80, width: 80, colour: 'bgr', white: 255 },
  output: { kind: 'logits', name: 'y', classes: 3, live: [1] },
};

export const FOLDER = {
  schema: 'facet.folder/v1',
  ...REF,
  samples: [
    { file: 'a.png', label: 'live' },
    { file: 'b/c.jpg', label: 'spoof', spoofType: 'pad', box: { x: 0, y: -1, width: 10, height: 12.5 } },
  ],
};

const DATASET = {
  schema: 'facet.dataset/v1',
  ...REF,
  description: 'two faces',
  size: 'native',
  maps: ['depth'],
  splits: {
    train: [],
    dev: [],
    test: [{ key: 'datasets/net/1.0/test/00000.tar', samples: 2, sha256: DIGEST }],
  },
  digest: DIGEST,
};

export const PLAN = {
  schema: 'facet.plan/v1',
  name: 'quick',
  seed: 7,
  samples: 100,
  batch: 16,
  shard: 64,
  attacks: [
    {
      objectives: ['direct', 'sfa'],
      searches: [{ name: 'fgsm' }, { name: 'pgd' }],
      threats: [{ norm: 'linf', epsilon: '2/255' }],
    },
  ],
};

export const POLICY = {
  schema: 'facet.policy/v1',
  name: 'gate',
  clean: { maxAcer: 0.1 },
  attacks: [{ facet: 'depth', maxEpsilon: '4/255', maxAttackSuccessRate: 0.5 }],
};

const FEATURES = {
  schema: 'facet.features/v1',
  modelDigest: DIGEST,
  datasetDigest: DIGEST,
  threshold: { value: 0.5, source: 'dev-eer', samples: 10 },
  texture: 'mid',
  facets: [
    {
      facet: 'depth',
      source: 'head',
      feature: 'f',
      dimensions: 64,
      probeAccuracy: 0.9,
      priorSamples: { live: 10, spoof: 12 },
    },
    {
      facet: 'embedding',
      source: 'tensor',
      feature: 'g',
      dimensions: 8,
      probeAccuracy: null,
      priorSamples: null,
      withoutPrior: 'too few samples',
    },
  ],
  notes: [],
};

export const OUTCOME = {
  key: 'a-1',
  label: 'spoof',
  species: 'pad',
  illumination: null,
  cleanScore: 0.1,
  adversarialScore: 0.9,
  correct: true,
  fooled: true,
  linf: 2 / 255,
  l2: 0.005,
};

const VERDICT = {
  policy: 'gate',
  passed: false,
  checks: [{ name: 'clean.maxAcer', passed: false, actual: null, limit: 0.1 }],
};

const SUCCESS = { attempted: 1, succeeded: 1, rate: 1 };
const UNDEFINED_SUCCESS = { attempted: 0, succeeded: 0, rate: null };
const PLACE = { search: 'pgd-10', norm: 'linf', epsilon: 2 / 255 };

export const REPORT = {
  schema: 'facet.report/v1',
  evaluation: 'net-0123456789abcdef',
  model: { ...REF, sha256: DIGEST },
  dataset: { ...REF, digest: DIGEST },
  plan: PLAN,
  clean: {
    split: 'test',
    samples: 2,
    live: 1,
    spoof: 1,
    threshold: 0.5,
    thresholdSource: 'dev-eer',
    accuracy: 1,
    apcer: 0,
    apcerBySpecies: { pad: { samples: 1, apcer: 0 } },
    bpcer: 0,
    acer: 0,
    hter: 0,
    eer: 0,
    auc: 1,
    aucInterval: null,
    calibrated: { threshold: 0.5, split: 'dev', accuracy: 1, apcer: 0, bpcer: null },
    bpcer10: null,
    bpcer20: null,
    bpcer100: null,
    tprAtFpr: { '0.01': null },
  },
  facets: [{ ...FEATURES.facets[0], rank: 1, rankInterval: [1, 1], weakestShare: 1 }],
  cells: [
    {
      id: 'depth.sfa.pgd-10.linf-2_255',
      facet: 'depth',
      objective: 'sfa',
      ...PLACE,
      samples: 2,
      attempted: 1,
      succeeded: 1,
      attackSuccessRate: 1,
      interval: [0.2, 1],
      directions: { spoofAsLive: SUCCESS, liveAsSpoof: UNDEFINED_SUCCESS },
      bySpecies: { pad: SUCCESS },
      byIllumination: { dark: SUCCESS },
      byAttribute: { male: { present: SUCCESS, absent: UNDEFINED_SUCCESS } },
      robustApcer: 1,
      robustBpcer: null,
      robustAuc: null,
      robustAucInterval: null,
      calibrated: { attackSuccessRate: 1, robustApcer: 1, robustBpcer: null },
      maxLinf: 2 / 255,
      meanL2: 0.005,
    },
  ],
  curves: [
    {
      facet: 'depth',
      objective: 'sfa',
      search: 'pgd-10',
      norm: 'linf',
      points: [{ epsilon: 2 / 255, attackSuccessRate: 1 }],
      areaUnderSuccess: 0.5,
      areaInterval: [0.2, 0.8],
      medianMinimalEpsilon: 2 / 255,
      medianInterval: null,
      directions: {
        spoofAsLive: { areaUnderSuccess: 0.5, medianMinimalEpsilon: 2 / 255 },
        liveAsSpoof: { areaUnderSuccess: null, medianMinimalEpsilon: null },
      },
    },
  ],
  gains: [{ ...PLACE, facet: 0.5, sfa: 1, control: null, gain: 0.5, interval: [0.1, 0.9] }],
  ranking: { search: 'pgd-10', norm: 'linf', epsilons: [2 / 255], saturated: [] },
  baseline: null,
  worst: [
    {
      cell: 'depth.sfa.pgd-10.linf-2_255',
      shard: 0,
      key: 'a-1',
      label: 'spoof',
      species: null,
      epsilon: 2 / 255,
      cleanScore: 0.1,
      adversarialScore: 0.9,
    },
  ],
  verdict: VERDICT,
  notes: ['synthetic'],
  provenance: {
    facet: '0.1.0',
    seed: 7,
    backend: 'onnxruntime cpu',
    cpu: 'any',
    recheck: { images: 1, agreed: 1 },
  },
};

const STANDING = { schema: 'facet.standing/v1', name: 'nightly', models: 'net-*', dataset: REF, plan: PLAN };

const RECIPE = {
  schema: 'facet.recipe/v1',
  seed: 1,
  backbone: 'resnet-small',
  facets: ['depth'],
  epochs: 2,
  batch: 8,
  parts: 2,
  learningRate: 0.1,
  optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.0005 },
  schedule: { kind: 'cosine' },
  warmupSteps: 0,
  lossWeights: { live: 2 },
};

const TRANSFER = {
  schema: 'facet.transfer-report/v1',
  models: [{ ...REF, sha256: DIGEST, evaluation: 'net-0123456789abcdef', threshold: 0.5 }],
  dataset: { ...REF, digest: DIGEST },
  plan: PLAN,
  matrices: [
    {
      cell: 'live.direct.pgd-10.linf-2_255',
      facet: 'live',
      objective: 'direct',
      search: 'pgd-10',
      norm: 'linf',
      epsilon: 2 / 255,
      success: [[{ attempted: 2, succeeded: 1, rate: 0.5, interval: [0.1, 0.9] }]],
    },
  ],
  provenance: { facet: '0.1.0', backend: 'onnxruntime-node', cpu: 'x' },
};
const TRAINING_HISTORY = {
  schema: 'facet.training-history/v1',
  epochs: [
    {
      epoch: 1,
      step: 10,
      learningRate: 0.1,
      epsilon: 2 / 255,
      losses: { live: 0.5 },
      validation: { auc: 0.9, robustAuc: null },
    },
  ],
  best: 1,
};
const HARDENED = { auc: 0.9, accuracy: 0.8, apcer: 0.2, bpcer: 0.2, unseenApcer: { phone: 0.3 } };
const HARDENING = {
  schema: 'facet.hardening/v1',
  parent: { ...REF, sha256: DIGEST },
  hardened: { ...REF, version: '2', sha256: DIGEST },
  recipe: {
    schema: 'facet.recipe/v1',
    seed: 0,
    epochs: 1,
    batch: 16,
    parts: 1,
    learningRate: 0.1,
    optimiser: { kind: 'adamw' },
    warmupSteps: 0,
    adversarial: { threat: { norm: 'linf', epsilon: '2/255' } },
  },
  history: TRAINING_HISTORY,
  splits: [
    {
      name: 'test',
      dataset: REF,
      thresholdSplit: 'dev',
      clean: { parent: HARDENED, hardened: HARDENED },
      aucChange: { baseline: 0.9, current: 0.9, delta: 0, interval: [-0.1, 0.1], change: 'within-noise' },
      attacks: [
        {
          cell: 'live.direct.pgd-10.linf-2_255',
          facet: 'live',
          objective: 'direct',
          search: 'pgd-10',
          norm: 'linf',
          epsilon: 2 / 255,
          parent: { success: 0.9, robustAuc: 0.3 },
          hardened: { success: 0.3, robustAuc: 0.8 },
        },
      ],
      evaluations: { parent: 'net-0123456789abcdef', hardened: 'net-0123456789abcdee' },
    },
  ],
  notes: [],
  provenance: { facet: '0.1.0', backend: 'onnxruntime-node', cpu: 'x' },
};
const STUDY = {
  schema: 'facet.study/v1',
  name: 'small',
  seeds: [0, 1],
  dataset: { size: 32, samples: { train: 64, dev: 16, test: 16 } },
  recipe: {
    epochs: 1,
    batch: 16,
    parts: 1,
    learningRate: 0.1,
    optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 },
    schedule: { kind: 'cosine' },
    warmupSteps: 0,
  },
  plan: PLAN,
};
const ESTIMATE = { mean: 0.5, interval: [0.4, 0.6], values: [0.45, 0.55] };
const STUDY_REPORT = {
  schema: 'facet.study-report/v1',
  study: STUDY,
  attack: { search: 'pgd-10', norm: 'linf', epsilons: [2 / 255] },
  networks: [
    {
      model: REF,
      evaluation: 'net-0123456789abcdef',
      backbone: 'resnet-small',
      features: 'none',
      seed: 0,
      figures: {
        accuracy: 0.9,
        auc: 0.95,
        vulnerability: 0.5,
        robustAuc: 0.4,
        facet: null,
        sfa: null,
        control: null,
        gain: null,
      },
    },
  ],
  combinations: [
    {
      backbone: 'resnet-small',
      features: 'none',
      vulnerability: ESTIMATE,
      accuracy: ESTIMATE,
      auc: ESTIMATE,
      robustAuc: ESTIMATE,
      facet: null,
      sfa: null,
      control: null,
      gain: null,
    },
  ],
  backbones: [{ name: 'resnet-small', difference: null, change: 'unknown' }],
  features: [{ name: 'none', difference: ESTIMATE, change: 'reference' }],
  defences: [
    {
      backbone: 'resnet-small',
      features: 'none',
      defence: 'direct',
      clean: ESTIMATE,
      shifted: ESTIMATE,
      unseen: null,
      attacked: [{ epsilon: 2 / 255, auc: ESTIMATE, success: ESTIMATE }],
      sfa: null,
      efficient: true,
    },
  ],
  notes: [],
  provenance: { facet: '0.1.0', backend: 'onnxruntime-node', cpu: 'x' },
};

export const VALID: Readonly<Record<keyof typeof ARTIFACTS, object>> = {
  model: MODEL,
  dataset: DATASET,
  folder: FOLDER,
  plan: PLAN,
  policy: POLICY,
  features: FEATURES,
  outcome: OUTCOME,
  score: {
    key: 'a-1',
    split: 'dev',
    label: 'live',
    species: null,
    illumination: 'normal',
    attributes: null,
    subject: 's-1',
    score: -3.5,
  },
  report: REPORT,
  standing: STANDING,
  recipe: RECIPE,
  'training-history': TRAINING_HISTORY,
  hardening: HARDENING,
  study: STUDY,
  'study-report': STUDY_REPORT,
  'transfer-report': TRANSFER,
};

const EVALUATION = REPORT.evaluation;
const SUBJECT = { evaluation: EVALUATION, model: REF, dataset: REF };
const CELL: Cell = {
  id: 'depth.sfa.fgsm.linf-2_255',
  facet: 'depth',
  objective: 'sfa',
  search: { name: 'fgsm' },
  threat: { norm: 'linf', epsilon: 2 / 255 },
};
const TRAINING = { model: REF, dataset: REF, recipe: RECIPE };

export const FACT_SAMPLES: Readonly<Record<FactType, object>> = {
  'dataset.ingested': { dataset: REF, digest: DIGEST },
  'dataset.failed': { dataset: REF, reason: 'no such folder' },
  'model.published': { model: REF, digest: DIGEST },
  'evaluation.requested': { model: REF, dataset: REF, plan: PLAN, policy: POLICY, baseline: 'previous' },
  'features.extracted': { ...SUBJECT, features: 'features/net/1.0' },
  'evaluation.planned': { ...SUBJECT, cells: 4, shards: 2 },
  'attack.completed': { evaluation: EVALUATION, cell: CELL.id, shard: 0 },
  'attack.failed': { evaluation: EVALUATION, cell: CELL.id, shard: 0, reason: 'out of memory' },
  'evaluation.completed': { ...SUBJECT, report: 'evaluations/x/report.json', verdict: VERDICT },
  'evaluation.failed': { evaluation: EVALUATION, reasons: ['a shard is missing'] },
  'evaluation.cancelled': { evaluation: EVALUATION },
  'training.requested': TRAINING,
  'training.completed': { request: TRAINING, digest: DIGEST },
  'training.failed': { request: TRAINING, reason: 'diverged' },
};

export const JOB_SAMPLES: Readonly<Record<JobType, object>> = {
  ingestion: {
    dataset: REF,
    source: { kind: 'synthetic', seed: 1, size: 64, samples: { train: 8, dev: 8, test: 8 } },
  },
  features: SUBJECT,
  attacks: { ...SUBJECT, cell: CELL, shard: 0, features: 'features/net/1.0' },
  training: TRAINING,
};
