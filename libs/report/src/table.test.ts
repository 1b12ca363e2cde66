import type { Report } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { fixtureReport, smallReport } from './report.fixture.js';
import { renderTable } from './table.js';

const plain = (report: Report): string => renderTable(report, { colour: false });
const withoutControl = (): Report => {
  const report = fixtureReport();
  return { ...report, cells: report.cells.filter(({ objective }) => objective !== 'control') };
};
const rowsOf = (text: string): string[] => text.split('\n').filter((line) => line.includes('│'));

describe('the table', () => {
  it('holds four epsilons by three objectives in 100 columns, in one piece', () => {
    const text = plain(withoutControl());
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(rowsOf(text).map((line) => line.split('│')[0].trim())).toEqual([
      '',
      'facet',
      'live',
      'attributes',
      'spoof-type',
      'illumination',
      'depth',
      'reflection',
    ]);
    expect(text).toContain('attack success in %, pgd-10, L∞');
  });

  it('aligns every column', () => {
    const lines = rowsOf(plain(withoutControl()));
    const places = lines.map((line) => [...line.matchAll(/│/g)].map(({ index }) => index));
    places.forEach((place) => expect(place).toEqual(places[0]));
    const ends = lines.slice(1).map((line) => [...line.matchAll(/[\w.·-]+(?= |$)/g)].slice(1));
    ends.forEach((columns) =>
      expect(columns.map(({ index, 0: text }) => index + text.length)).toEqual(
        ends[0].map(({ index, 0: text }) => index + text.length),
      ),
    );
  });

  it('shows the rates of the cells, and a dot where nothing was run', () => {
    const line = rowsOf(plain(withoutControl())).find((one) => one.startsWith('depth'))!;
    const depth = (objective: string) =>
      fixtureReport()
        .cells.filter((cell) => cell.facet === 'depth' && cell.objective === objective)
        .filter((cell) => cell.search === 'pgd-10' && cell.norm === 'linf')
        .map((cell) => (cell.attackSuccessRate! * 100).toFixed(1));
    const [facet, sfa] = [depth('facet'), depth('sfa')];
    expect(line.split(/[ │]+/)).toEqual(['depth', ...facet.flatMap((rate, i) => ['·', rate, sfa[i]])]);
  });

  it('goes on below where epsilons do not fit, and shortens long names', () => {
    const report = fixtureReport();
    const long = 'a-facet-with-a-name-of-sixty-three-characters';
    const text = plain({
      ...report,
      cells: report.cells.map((cell) => (cell.facet === 'depth' ? { ...cell, facet: long } : cell)),
    });
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text.match(/^facet /gm)).toHaveLength(2);
    for (const epsilon of [1, 2, 4, 8]) expect(text).toContain(` ${epsilon}/255`);
    expect(text).toContain('a-facet-with-…');
  });

  it('uses colour only when asked, and says the same with it', () => {
    const coloured = renderTable(fixtureReport(), { colour: true });
    expect(coloured).toContain('\u001b[31m');
    // eslint-disable-next-line no-control-regex
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain(fixtureReport()));
    expect(plain(fixtureReport())).not.toContain('\u001b');
  });

  it('ends with the clean figures and the gain', () => {
    const lines = plain(fixtureReport()).trimEnd().split('\n').slice(-2);
    expect(lines[0].replaceAll('\u00a0', ' ')).toBe(
      'clean  accuracy 96.5 %, ACER 5.7 %, EER 3.4 % (600 samples)',
    );
    expect(lines[1]).toMatch(/^gain {3}of SFA over facet-only is at best \+\d+\.\d points, at 2\/255 /);
  });

  it('says what it does not know', () => {
    expect(plain(smallReport())).toContain('ACER –');
    expect(plain(smallReport())).toContain('is unknown');
    expect(plain(smallReport({ cells: [] }))).toContain('No attack was run.');
    const [cell] = smallReport().cells;
    const undefined_ = smallReport({ cells: [{ ...cell, attackSuccessRate: null, interval: null }] });
    expect(rowsOf(plain(undefined_)).at(-1)).toMatch(/^live {2}│ +–$/);
  });
});
