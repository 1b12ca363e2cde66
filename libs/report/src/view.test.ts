import { expect, it } from 'vitest';
import { fixtureReport, smallReport } from './report.fixture.js';
import { byFacet, sorted, viewOf } from './view.js';

it('makes one block per search and norm, the strongest search under L-infinity first', () => {
  const { blocks, reference } = viewOf(fixtureReport());
  expect(blocks.map(({ title }) => title)).toEqual(['pgd-10, L∞', 'fgsm, L∞', 'pgd-10, L2']);
  expect(reference).toBe(blocks[0]);
});

it('takes L2 where nothing else was run, and nothing where nothing was', () => {
  const report = fixtureReport();
  const l2 = fixtureReport({ cells: report.cells.filter(({ norm }) => norm === 'l2') });
  expect(viewOf(l2).reference?.title).toBe('pgd-10, L2');
  expect(viewOf(fixtureReport({ cells: [] })).reference).toBeUndefined();
});

it('puts the decision first, then facets as the report lists them, objectives in their order', () => {
  const [{ rows }] = viewOf(fixtureReport()).blocks;
  expect(byFacet(rows).map(({ facet }) => facet)).toEqual([
    'live',
    'attributes',
    'spoof-type',
    'illumination',
    'depth',
    'reflection',
  ]);
  expect(byFacet(rows)[1].rows.map(({ objective }) => objective)).toEqual(['facet', 'sfa', 'control']);
});

it('finds every cell of the report, and none that the plan left out', () => {
  const report = fixtureReport();
  const { blocks } = viewOf(report);
  const found = blocks.flatMap(({ rows, epsilons, cell }) =>
    rows.flatMap((row) => epsilons.flatMap((epsilon) => cell(row, epsilon) ?? [])),
  );
  expect(new Set(found)).toEqual(new Set(report.cells));
  expect(blocks[0].cell({ facet: 'depth', objective: 'direct' }, 1 / 255)).toBeUndefined();
});

it('shows a facet that cells name and the list of facets does not', () => {
  const { blocks } = viewOf(smallReport({ facets: [], cells: fixtureReport().cells }));
  expect(byFacet(blocks[0].rows)).toHaveLength(6);
});

it('sorts names by code unit, each once', () => {
  expect(sorted(['b', 'a', 'B', 'b'])).toEqual(['B', 'a', 'b']);
});
