import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keys } from './keys.js';
import { Digest, formatRef, Name, Ref, Version } from './names.js';
import { Cell } from './plan.js';
import { SampleKey } from './sample.js';
import { SPLITS } from './taxonomy.js';

const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

const HOSTILE = [
  '',
  '.',
  '..',
  '../a',
  'a/b',
  'a\\b',
  'a b',
  'a\n',
  '\na',
  'a\0',
  'A',
  'é',
  'a*',
  'a>',
  '-a',
  '_a',
  'a%2f',
];

describe.each([
  ['Name', Name, [...HOSTILE, 'a.b', 'a_b', 'a'.repeat(64)], ['a', '0', 'a-b', 'a-', 'a'.repeat(63)]],
  [
    'Version',
    Version,
    [...HOSTILE, 'a.', 'a-', '.a', '1..2', 'a'.repeat(64)],
    ['1', '1.5_128', '2026-01-01', 'a'.repeat(63)],
  ],
  ['SampleKey', SampleKey, [...HOSTILE, 'a.b', 'a.png', 'a'.repeat(101)], ['a', '0_1-2', 'a'.repeat(100)]],
  [
    'Digest',
    Digest,
    [...HOSTILE, 'A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64), `${'a'.repeat(64)}\n`],
    ['a0'.repeat(32)],
  ],
  ['Cell.id', Cell.shape.id, HOSTILE, ['live.direct.pgd-10x5-s0.5.linf-2_255', 'a'.repeat(200)]],
] as const)('%s', (_, schema, refused, taken) => {
  it.each(refused)('refuses %j', (text) => {
    expect(takes(schema, text)).toBe(false);
  });
  it.each(taken)('takes %j', (text) => {
    expect(takes(schema, text)).toBe(true);
  });
});

const names = fc.string({ maxLength: 70 }).filter((text) => takes(Name, text));
const versions = fc.stringMatching(/^[a-z0-9._-]{1,63}$/).filter((text) => takes(Version, text));
const refs = fc.record({ name: names, version: versions });

describe('keys', () => {
  it('stay inside their folder whatever the names', () => {
    fc.assert(
      fc.property(refs, refs, fc.constantFrom(...SPLITS), fc.nat(), (model, dataset, split, index) => {
        for (const key of [
          keys.dataset.manifest(dataset),
          keys.dataset.shard(dataset, split, index),
          keys.model.file(model),
          keys.model.manifest(model),
          keys.features.folder(model, dataset, 'ab12'),
        ]) {
          expect(key).toMatch(/^(datasets|models|features)\/[a-z0-9._/-]+$/);
          expect(key.split('/').every((part) => part !== '' && !part.startsWith('.'))).toBe(true);
          expect(key.length).toBeLessThanOrEqual(512);
        }
      }),
    );
  });

  it('differ where refs differ', () => {
    fc.assert(
      fc.property(refs, refs, (a, b) => {
        fc.pre(formatRef(a) !== formatRef(b));
        expect(keys.model.file(a)).not.toBe(keys.model.file(b));
        expect(keys.dataset.manifest(a)).not.toBe(keys.dataset.manifest(b));
        expect(keys.features.folder(a, b, 'x')).not.toBe(keys.features.folder(b, a, 'x'));
      }),
    );
  });

  it('list shards in their order', () => {
    const shards = [0, 1, 2, 9, 10, 11, 99, 100, 99_999];
    const listed = shards.map((shard) => keys.evaluation.outcomes('e', 'c', shard));
    expect([...listed].sort()).toEqual(listed);
    expect(listed[0]).toBe('evaluations/e/cells/c/00000.parquet');
    expect(listed.every((key) => key.startsWith(keys.evaluation.cells('e')))).toBe(true);
  });

  it('lie where the design says', () => {
    const ref = { name: 'net', version: '1.0' };
    expect(keys.model.file(ref)).toBe('models/net/1.0/model.onnx');
    expect(keys.dataset.shard(ref, 'test', 3)).toBe('datasets/net/1.0/test/00003.tar');
    expect(keys.evaluation.images('e', 'c', 12)).toBe('evaluations/e/cells/c/00012.tar');
    expect(keys.evaluation.report('e', 'xml')).toBe('evaluations/e/report.xml');
    expect(keys.standing.one('nightly').startsWith(keys.standing.all)).toBe(true);
  });
});

it('a ref reads name@version, and takes nothing else', () => {
  expect(formatRef(Ref.parse({ name: 'net', version: '1.5_128' }))).toBe('net@1.5_128');
  expect(takes(Ref, { name: 'net', version: '1', digest: 'x' })).toBe(false);
});
