import { expect, it } from 'vitest';
import { fixtureReport } from '../report.fixture.js';
import { viewOf } from '../view.js';
import { curveChart, curvePoints } from './curves.js';
import { DATA, drawing } from './svg.js';

const [block] = viewOf(fixtureReport()).blocks;

it('draws the same bytes for the same data, whatever was drawn in between', async () => {
  const draw = drawing(curveChart(block));
  const first = await draw(curvePoints(block, 'depth'), 'a');
  const other = await draw(curvePoints(block, 'attributes'), 'a');
  expect(other).not.toBe(first);
  expect(await draw(curvePoints(block, 'depth'), 'a')).toBe(first);
  expect(await drawing(curveChart(block))(curvePoints(block, 'depth'), 'a')).toBe(first);
});

it('gives every picture ids of its own', async () => {
  const draw = drawing({
    data: { name: DATA },
    mark: { type: 'line', clip: true },
    encoding: {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'y', type: 'quantitative' },
    },
  });
  const points = () => [
    { x: 0, y: 0 },
    { x: 1, y: 2 },
  ];
  const one = await draw(points(), 'one');
  const two = await draw(points(), 'two');
  expect(one).toContain('id="one-0"');
  expect(one).toContain('url(#one-0)');
  expect(two.replaceAll('two-', 'one-')).toBe(one);
});

it('draws nothing that would be loaded or run', async () => {
  const picture = await drawing(curveChart(block))(curvePoints(block, 'depth'), 'a');
  expect(picture).toMatch(/^<svg /);
  expect(picture.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:|<script|<image|@import/);
});

it('compares a facet with the direct attack, from nothing at epsilon 0', () => {
  const points = curvePoints(block, 'depth') as { objective: string; epsilon: number; rate: number }[];
  expect([...new Set(points.map(({ objective }) => objective))]).toEqual([
    'direct',
    'facet',
    'sfa',
    'control',
  ]);
  expect(points.filter(({ epsilon }) => epsilon === 0).map(({ rate }) => rate)).toEqual([0, 0, 0, 0]);
  expect(points).toHaveLength(4 * 5);
});

it('leaves out a curve that has no rate, and draws the empty chart', async () => {
  const report = fixtureReport();
  const cells = report.cells.map((cell) => ({ ...cell, attackSuccessRate: null, interval: null }));
  const [empty] = viewOf({ ...report, cells }).blocks;
  expect(curvePoints(empty, 'depth')).toEqual([]);
  expect(await drawing(curveChart(empty))([], 'a')).toContain('</svg>');
});
