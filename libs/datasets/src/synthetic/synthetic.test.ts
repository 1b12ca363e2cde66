import { createHash } from 'node:crypto';
import { ATTRIBUTES, SampleLabels } from '@facet/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cosineOfTurns, sineOfTurns } from '../numerics.js';
import { decodePng } from '../png.js';
import { storeFace, syntheticDataset, syntheticJobs } from './dataset.js';
import { makeFace, type SyntheticSample } from './face.js';
import { SYNTHETIC_SPECIES } from './media.js';
import { SYNTHETIC_ATTRIBUTES } from './person.js';
import { Random } from './random.js';

const face = (index: number, more: object = {}): SyntheticSample =>
  makeFace({ seed: 3, index, size: 32, variant: 'standard', ...more });
const digest = (...parts: Uint8Array[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

describe('numbers', () => {
  test('sine and cosine agree with the engine', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        expect(sineOfTurns(t)).toBeCloseTo(Math.sin(2 * Math.PI * t), 7);
        expect(cosineOfTurns(t)).toBeCloseTo(Math.cos(2 * Math.PI * t), 7);
      }),
    );
  });

  test('random numbers are uniform and normal enough', () => {
    const random = new Random(1);
    const n = 20_000;
    const uniform = Array.from({ length: n }, () => random.uniform(0, 1));
    const normal = Array.from({ length: n }, () => random.normal());
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / n;
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(Math.abs(mean(normal.map((x) => x * x)) - 1)).toBeLessThan(0.05);
  });

  test('neighbouring keys, and seeds past 32 bits, give other streams', () => {
    const keys = [
      [1, 2],
      [2, 1],
      [1, 3],
      [1 + 2 ** 32, 2],
    ];
    expect(new Set(keys.map((key) => new Random(...key).bits())).size).toBe(keys.length);
  });
});

describe('a synthetic face', () => {
  test('is the same bytes everywhere', () => {
    // Only a wanted change of the renderer may change this digest; another engine or machine must not.
    const parts = [0, 1, 3, 5, 7, 9, 11].flatMap((index) => {
      const { pixels, depth, reflection } = face(index);
      return [pixels, depth, reflection];
    });
    expect(digest(...parts)).toBe('4f601295f968c6e289ae7a064b580c98f81811f2a6948b053d7b768fe0ef18ce');
  });

  test('depends on seed, index and variant, not on what was drawn before', () => {
    const first = digest(face(4).pixels);
    expect(digest(face(6).pixels)).not.toBe(first);
    expect(digest(face(4, { seed: 4 }).pixels)).not.toBe(first);
    expect(digest(face(4, { variant: 'shifted' }).pixels)).not.toBe(first);
    expect(digest(face(4).pixels)).toBe(first);
  });

  test('has valid labels and maps: depth on live faces, reflection on attacks', () => {
    for (let index = 0; index < 24; index++) {
      const { pixels, depth, reflection, labels } = face(index);
      expect(SampleLabels.parse(labels)).toEqual(labels);
      expect(pixels.length).toBe(32 * 32 * 3);
      const live = index % 2 === 0;
      expect(labels.label).toBe(live ? 'live' : 'spoof');
      expect(Math.max(...depth)).toBe(live ? 255 : 0);
      expect(Math.max(...reflection) > 0).toBe(!live);
      expect(depth.length).toBe(32 * 32);
      expect(reflection.length).toBe(32 * 32);
    }
  });

  test('is nearest to the camera near its centre, and the background is at 0', () => {
    const { depth } = face(0, { size: 64 });
    const nearest = depth.indexOf(255);
    expect(Math.abs((nearest % 64) - 32)).toBeLessThan(14);
    expect(depth[0]).toBe(0);
  });

  test('varies every attribute that it claims to, and no other', () => {
    const rows = Array.from({ length: 300 }, (_, i) => face(i, { size: 16 }).labels.attributes!);
    ATTRIBUTES.forEach((name, k) => {
      const share = rows.filter((row) => row[k] === 1).length / rows.length;
      if ((SYNTHETIC_ATTRIBUTES as readonly string[]).includes(name)) {
        expect(share, name).toBeGreaterThan(0.02);
        expect(share, name).toBeLessThan(0.85);
      } else expect(share, name).toBe(0);
    });
  });

  test('wears its species: the same person, index and light, another picture', () => {
    const pictures = ['live' as const, ...SYNTHETIC_SPECIES].map((species) => face(8, { species }));
    expect(new Set(pictures.map(({ pixels }) => digest(pixels))).size).toBe(7);
    expect(new Set(pictures.map(({ labels }) => labels.illumination)).size).toBe(1);
    expect(pictures.map(({ labels }) => labels.spoofType)).toEqual(['live', ...SYNTHETIC_SPECIES]);
  });
});

describe('a synthetic dataset', () => {
  const spec = { seed: 9, size: 16, splits: { train: 25, dev: 12, test: 24 } };

  test('gives each split its size, half of it live, and no subject to two splits', () => {
    const jobs = [...syntheticJobs(spec)];
    expect(jobs.map((job) => job.split).join()).toMatch(/^(train,){25}(dev,){12}(test,?){24}$/);
    expect(new Set(jobs.map((job) => job.key)).size).toBe(61);
    const live = jobs.filter((job) => job.split === 'test' && job.face.species === 'live');
    expect(live).toHaveLength(12);
    const subjects = new Map<number, string>();
    for (const {
      face: { index },
      split,
    } of jobs) {
      const subject = Math.floor(index / 2);
      expect(subjects.get(subject) ?? split).toBe(split);
      subjects.set(subject, split);
    }
  });

  test('shows held-out species in the test split only', () => {
    const jobs = [...syntheticJobs({ ...spec, heldOut: ['pad', '3d-mask'] })];
    const species = (test: boolean) =>
      new Set(jobs.filter((job) => (job.split === 'test') === test).map((job) => job.face.species));
    expect(species(false)).toEqual(new Set(['live', 'photo', 'phone', 'face-mask', 'region-mask']));
    expect(species(true)).toEqual(new Set(['live', ...SYNTHETIC_SPECIES]));
    expect(() => [...syntheticJobs({ ...spec, heldOut: SYNTHETIC_SPECIES })]).toThrow(RangeError);
  });

  test('jobs survive being sent to a thread, and store as PNG', async () => {
    for await (const { key, face: options, sample } of syntheticDataset({
      ...spec,
      splits: { train: 2, dev: 0, test: 0 },
    })) {
      expect(makeFace(structuredClone(options))).toEqual(sample);
      const stored = await storeFace(key, sample, 16);
      expect((await decodePng(stored.png)).data).toEqual(sample.pixels);
      expect((await decodePng(stored.depth!, 1)).data).toEqual(sample.depth);
      expect((await decodePng(stored.reflection!, 1)).data).toEqual(sample.reflection);
    }
  });
});
