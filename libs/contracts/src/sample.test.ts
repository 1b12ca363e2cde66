import { describe, expect, it } from 'vitest';
import { formatIssues, formatPath } from './issues.js';
import { FOLDER } from './samples.fixture.js';
import { FolderManifest, SampleLabels } from './sample.js';
import { ATTRIBUTES, CLASSES, SPOOF_TYPES } from './taxonomy.js';

const issuesOf = (labels: object): string[] => {
  const parsed = SampleLabels.safeParse(labels);
  return parsed.success ? [] : formatIssues(parsed.error);
};

describe('SampleLabels', () => {
  it('takes spoofType "live" with label "live" and with no other', () => {
    for (const label of CLASSES)
      for (const spoofType of SPOOF_TYPES) {
        const agrees = (label === 'live') === (spoofType === 'live');
        expect(issuesOf({ label, spoofType }).length, `${label} ${spoofType}`).toBe(agrees ? 0 : 1);
      }
    expect(issuesOf({ label: 'live', spoofType: 'pad' })[0]).toMatch(/^spoofType: contradicts `label`/);
  });

  it('takes illumination "live" for live samples only; they may have another', () => {
    expect(issuesOf({ label: 'live', illumination: 'live' })).toEqual([]);
    expect(issuesOf({ label: 'live', illumination: 'dark' })).toEqual([]);
    expect(issuesOf({ label: 'spoof', illumination: 'dark' })).toEqual([]);
    expect(issuesOf({ label: 'spoof', illumination: 'live' })[0]).toMatch(
      /^illumination: contradicts `label`/,
    );
  });

  it('takes 40 attributes of 0 and 1, or none', () => {
    const attributes = ATTRIBUTES.map((_, i) => i % 2);
    expect(issuesOf({ label: 'live' })).toEqual([]);
    expect(issuesOf({ label: 'live', attributes })).toEqual([]);
    expect(issuesOf({ label: 'live', attributes: attributes.slice(1) })[0]).toMatch(/^attributes: /);
    expect(issuesOf({ label: 'live', attributes: attributes.with(3, -1) })[0]).toMatch(/^attributes\[3\]: /);
  });
});

describe('FolderManifest', () => {
  it('puts samples without a split into test', () => {
    expect(FolderManifest.parse(FOLDER).samples.map(({ split }) => split)).toEqual(['test', 'test']);
  });

  it('names file and field of every mistake, the way people write paths', () => {
    const samples = [
      FOLDER.samples[0],
      { file: '', label: 'live' },
      { file: 'a', label: 'live', spoofType: 'phone' },
      { file: 'b', label: 'real' },
      { file: 'c', label: 'spoof', box: { x: 0, y: 0, width: 0, height: 5 } },
      { file: 'd', label: 'spoof', split: 'validation' },
      { file: 'e', label: 'spoof', spoof_type: 'pad' },
    ];
    const parsed = FolderManifest.safeParse({ ...FOLDER, samples });
    const lines = formatIssues(parsed.error!);
    expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'samples[1].file',
      'samples[2].spoofType',
      'samples[3].label',
      'samples[4].box.width',
      'samples[5].split',
      'samples[6]',
    ]);
    expect(lines[2]).toMatch(/"live"\|"spoof"/);
    expect(lines[5]).toContain('spoof_type');
  });

  it('must hold samples', () => {
    const parsed = FolderManifest.safeParse({ ...FOLDER, samples: [] });
    expect(formatIssues(parsed.error!)).toEqual(['samples: has no samples']);
  });

  it('says what is wrong with the whole where no field is', () => {
    expect(formatIssues(FolderManifest.safeParse(null).error!)[0]).toMatch(/^Invalid input/);
  });
});

it('formatPath writes indices in brackets and names with dots', () => {
  expect(formatPath([])).toBe('');
  expect(formatPath([0])).toBe('[0]');
  expect(formatPath(['a', 0, 'b', 1, 2])).toBe('a[0].b[1][2]');
});
