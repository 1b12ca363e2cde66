import type { SampleLabels } from '@facet/contracts';
import { ATTRIBUTES, SPOOF_TYPES } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { groupingsOf, probeOf } from './groupings.js';

const facetOn = (feature: string) => (facet: string) => ({
  facet,
  feature,
  probe: probeOf(facet, undefined),
});

const attributes = ATTRIBUTES.map((_, i): 0 | 1 => (i % 2 === 0 ? 0 : 1));
const samples: readonly SampleLabels[] = [
  { label: 'live', spoofType: 'live', attributes },
  { label: 'spoof', spoofType: 'pad' },
  { label: 'spoof' },
];

describe('what moments are taken over', () => {
  const groupings = groupingsOf(['spoof-type', 'attributes', 'depth'].map(facetOn('z')), 't', samples);
  const named = (id: string) => groupings.find((one) => one.id === id)!;

  it('is live and spoof of each tensor, once for all facets that read it', () => {
    expect(groupings.map(({ id }) => id)).toEqual([
      'prior/texture',
      'classes/z',
      'probe/spoof-type',
      'probe/attributes',
    ]);
    expect(named('classes/z')).toMatchObject({ groups: 2, index: Int16Array.of(0, 1, 1) });
  });

  it('marks the class of each sample that has a label', () => {
    const { groups, index, indicators } = named('probe/spoof-type');
    expect([groups, [...index]]).toEqual([1, [0, 0, -1]]);
    const classOf = (i: number) => [
      ...indicators!.subarray(i * SPOOF_TYPES.length, (i + 1) * SPOOF_TYPES.length),
    ];
    expect([0, 1, 2].map((i) => classOf(i).indexOf(1))).toEqual([0, SPOOF_TYPES.indexOf('pad'), -1]);
    expect(indicators!.reduce((sum, value) => sum + value, 0)).toBe(2);
  });

  it('marks the attributes of each sample that has them', () => {
    const { index, indicators } = named('probe/attributes');
    expect([...index]).toEqual([0, -1, -1]);
    expect([...indicators!.subarray(0, ATTRIBUTES.length)]).toEqual(attributes);
  });

  it('leaves out a probe that no sample has a label for', () => {
    const without = groupingsOf([facetOn('z')('illumination')], 't', samples);
    expect(without.map(({ id }) => id)).toEqual(['prior/texture', 'classes/z']);
  });
});
