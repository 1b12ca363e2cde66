import type { CleanScore, Features } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { describe, expect, it } from 'vitest';
import {
  featuresFolder,
  findFeatures,
  fittedTo,
  loadFeatures,
  loadScores,
  saveFeatures,
  type StoredFeatures,
  TEXTURE_PRIOR,
} from './features.js';
import { contents, openStore } from './store.fixture.js';

const DIGEST = '0123456789abcdef'.repeat(4);
const SUMMARY: Features = {
  schema: 'facet.features/v1',
  modelDigest: DIGEST,
  datasetDigest: DIGEST,
  threshold: { value: 0.125, source: 'dev-eer', samples: 4 },
  texture: 'mid',
  facets: [
    {
      facet: 'depth',
      source: 'head',
      feature: 'f',
      dimensions: 3,
      probeAccuracy: 0.75,
      priorSamples: { live: 10, spoof: 11 },
    },
  ],
  notes: ['synthetic'],
};
const FEATURES: StoredFeatures = {
  summary: SUMMARY,
  priors: {
    depth: { weights: Float32Array.of(1, -2, 0.5), bias: 0.1 },
    [TEXTURE_PRIOR]: { weights: Float32Array.of(3), bias: -1e-300 },
  },
  controls: { depth: [Float32Array.of(0, 0, 1), Float32Array.of(-2, 0.5, 0)] },
  probes: {
    'spoof-type': {
      classes: 2,
      weights: Float32Array.of(1, 2, 3, 4, 5, 6),
      bias: Float32Array.of(0.5, -0.5),
    },
  },
};
const known = { illumination: null, attributes: null, subject: null };
const SCORES: CleanScore[] = [
  { key: 'a', split: 'dev', label: 'live', species: null, ...known, score: 1.5 },
  { key: 'b', split: 'test', label: 'spoof', species: 'pad', ...known, attributes: '01', score: -1.5 },
];
const FOLDER = featuresFolder({ name: 'net', version: '1' }, { name: 'faces', version: '2' }, DIGEST);

describe('features', () => {
  it('lie where their model, data and digest say', () => {
    expect(FOLDER).toBe('features/net/1/faces/2/0123456789abcdef');
  });

  it('come back as they were, biases in full precision', async () => {
    const store = await openStore();
    await saveFeatures(store, FOLDER, FEATURES, SCORES);
    expect(await findFeatures(store, FOLDER)).toEqual(FEATURES);
    expect(await loadFeatures(store, FOLDER)).toEqual(FEATURES);
    expect(await loadScores(store, FOLDER)).toEqual(SCORES);
  });

  it('may be without a single prior', async () => {
    const store = await openStore();
    const bare = { summary: { ...SUMMARY, facets: [] }, priors: {}, controls: {}, probes: {} };
    await saveFeatures(store, FOLDER, bare, []);
    expect(await loadFeatures(store, FOLDER)).toEqual(bare);
  });

  it('are the same bytes when they are found again', async () => {
    const [one, two] = [await openStore(), await openStore()];
    await saveFeatures(one, FOLDER, FEATURES, SCORES);
    const reversed = Object.fromEntries(Object.entries(FEATURES.priors).reverse());
    await saveFeatures(two, FOLDER, { ...FEATURES, priors: reversed }, SCORES);
    expect(await contents(two)).toEqual(await contents(one));
  });

  it.each(['features.json', 'priors.safetensors', 'scores.parquet'])(
    'do not exist without %s',
    async (file) => {
      const store = await openStore();
      await saveFeatures(store, FOLDER, FEATURES, SCORES);
      await store.delete(`${FOLDER}/${file}`);
      expect(await findFeatures(store, FOLDER)).toBeUndefined();
      await expect(loadFeatures(store, FOLDER)).rejects.toThrow(
        new InputError('there are no features here', { file: `${FOLDER}/features.json` }),
      );
    },
  );

  it('are refused by name where a file of theirs is another', async () => {
    const store = await openStore();
    await saveFeatures(store, FOLDER, FEATURES, SCORES);
    await store.put(`${FOLDER}/priors.safetensors`, new TextEncoder().encode('no tensors'));
    await expect(findFeatures(store, FOLDER)).rejects.toThrow(
      /priors\.safetensors: is not a safetensors file/,
    );
  });

  it('offer a facet what was fitted to it, and nothing to a name that an object has by birth', () => {
    expect(fittedTo(FEATURES, 'depth')).toEqual({
      prior: FEATURES.priors['depth'],
      controls: FEATURES.controls['depth'],
    });
    expect(fittedTo(FEATURES, TEXTURE_PRIOR)).toEqual({ prior: FEATURES.priors[TEXTURE_PRIOR] });
    expect(fittedTo(FEATURES, 'reflection')).toEqual({});
    expect(fittedTo(FEATURES, 'constructor')).toEqual({});
  });
});
