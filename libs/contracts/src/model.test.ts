import { describe, expect, it } from 'vitest';
import { formatIssues } from './issues.js';
import { ModelManifest } from './model.js';
import { MODEL } from './samples.fixture.js';

const issuesOf = (value: unknown): string[] => {
  const parsed = ModelManifest.safeParse(value);
  return parsed.success ? [] : formatIssues(parsed.error);
};
const withOutput = (output: object) => ({ ...MODEL, output });
const withInput = (input: object) => ({ ...MODEL, input: { ...MODEL.input, ...input } });

describe('ModelManifest', () => {
  it('completes what may be left out', () => {
    expect(ModelManifest.parse(MODEL)).toEqual({
      ...MODEL,
      input: { ...MODEL.input, layout: 'nchw', mean: [0, 0, 0], std: [1, 1, 1] },
      facets: {},
    });
  });

  it('is the same after a round trip', () => {
    const manifest = ModelManifest.parse({
      ...MODEL,
      crop: { scale: 2.7, square: true, outside: 'shift', interpolation: 'area' },
      facets: { depth: { feature: 'f', head: { output: 'd', kind: 'map' } }, embedding: { feature: 'e' } },
      threshold: 0.25,
      sha256: 'ab'.repeat(32),
    });
    expect(ModelManifest.parse(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
  });

  it.each([
    ['another schema', { ...MODEL, schema: 'facet.model/v2' }, /^schema: /],
    ['a field that it does not know', { ...MODEL, colour: 'rgb' }, /Unrecognized key: "colour"/],
    ['a name that is a path', { ...MODEL, name: '../net' }, /^name: must be lower-case/],
    ['a version that is a path', { ...MODEL, version: '1..2' }, /^version: must not contain \.\./],
    ['a size that no face has', withInput({ height: 4 }), /^input\.height: /],
    ['a size that memory cannot hold', withInput({ width: 1_000_000 }), /^input\.width: /],
    ['a white that is neither 1 nor 255', withInput({ white: 128 }), /^input\.white: /],
    ['a std of zero', withInput({ std: [1, 0, 1] }), /^input\.std: must be positive/],
    ['a std that is not a number', withInput({ std: [1, Number.NaN, 1] }), /^input\.std\[1\]: /],
    ['a mean of one value', withInput({ mean: [0.5] }), /^input\.mean/],
    [
      'a live class that does not exist',
      withOutput({ kind: 'logits', name: 'y', classes: 3, live: [0, 3] }),
      /^output\.live\[1\]: is 3, but there are only 3 classes/,
    ],
    [
      'live classes that leave none for spoof',
      withOutput({ kind: 'probabilities', name: 'y', classes: 2, live: [0, 1] }),
      /^output\.live: leaves no class for spoof/,
    ],
    ['no live class', withOutput({ kind: 'logits', name: 'y', classes: 2, live: [] }), /^output\.live: /],
    ['a map without a polarity', withOutput({ kind: 'map', name: 'y' }), /^output\.high: /],
    ['an output of another kind', withOutput({ kind: 'regression', name: 'y' }), /^output\.kind: /],
    ['a facet with an unsafe name', { ...MODEL, facets: { 'a/b': { feature: 'f' } } }, /^facets\.a\/b: /],
    [
      'a facet with the name of the texture',
      { ...MODEL, facets: { texture: { feature: 'f' } } },
      /^facets\.texture: is the name of the texture/,
    ],
    ['a digest in capitals', { ...MODEL, sha256: 'AB'.repeat(32) }, /^sha256: must be a SHA-256/],
    ['an infinite threshold', { ...MODEL, threshold: Infinity }, /^threshold: /],
  ])('refuses %s, naming the field', (_, value, message) => {
    expect(issuesOf(value).join('\n')).toMatch(message);
  });

  it('counts a live class that is named twice once', () => {
    expect(issuesOf(withOutput({ kind: 'logits', name: 'y', classes: 2, live: [1, 1] }))).toEqual([]);
  });
});
