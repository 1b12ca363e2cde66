import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { METRICS } from './metrics.js';

it('are those of the guide', async () => {
  const guide = await readFile(new URL('../../../docs/guide/observability.md', import.meta.url), 'utf8');
  const rows = guide
    .split('\n')
    .filter((line) => /\| (histogram|counter|gauge) /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, name, kind, unit, attributes]) => ({ name, kind, unit, attributes: attributes.split(', ') }));
  const metrics = Object.entries(METRICS).map(([name, { kind, unit, attributes }]) => ({
    name,
    kind,
    unit,
    attributes: [...attributes],
  }));
  expect(rows).toEqual(metrics);
});
