import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { raiseOpset, readModel, rebatch } from '../file/index.js';
import { flops, parameterCount } from '../graph-tools/index.js';
import type { Dim, Model } from '../graph.js';
import { dimsAt } from '../shapes/dims.js';
import { feedsFor, withSession } from '../shapes/runtime.fixture.js';
import { prepare } from './prepare.js';

const CASES = process.env['FACET_CASES'] ?? '';

const modelsIn = (folder: string): string[] =>
  existsSync(join(CASES, folder))
    ? readdirSync(join(CASES, folder))
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => join(folder, name))
    : [];

const load = (path: string): Model => raiseOpset(readModel(readFileSync(join(CASES, path))));

/** The first axis is the batch; the others are what the file says. */
const inputsOf = ({ graph }: Model): Map<string, readonly Dim[]> =>
  new Map(
    graph.inputs.map(({ name, dims }) => [
      name,
      dims.map((dim, axis) => (axis === 0 ? { perSample: 1 } : Number(dim))),
    ]),
  );

/** Its prepared graph computes on floats, without what 8 bits round. */
const isQuantised = ({ graph }: Model): boolean => graph.nodes.some(({ op }) => /Quantize/.test(op));

const largest = (values: ArrayLike<number>): number => Math.max(...Array.from(values, Math.abs));

describe.skipIf(CASES === '')('prepared models of FACET_CASES compute what the originals do', () => {
  const paths = [...modelsIn('gradients'), ...modelsIn('published')];
  it.each(CASES === '' ? ['FACET_CASES is not set'] : paths)('%s', async (path) => {
    const original = rebatch(load(path));
    const inputs = inputsOf(original);
    const { model, shapes } = prepare(original, inputs);
    expect(model.graph.nodes.length).toBeLessThanOrEqual(original.graph.nodes.length);
    expect(isQuantised(model)).toBe(false);
    expect(model.graph.nodes.filter(({ op }) => op === 'Identity' || op === 'Constant')).toEqual([]);
    expect(flops(model.graph, shapes)).toBeGreaterThan(1e6);
    expect(parameterCount(model.graph)).toBeGreaterThan(1e3);

    for (const batch of [1, 2]) {
      const feeds = feedsFor(inputs, batch);
      const expected = await withSession(original, (run) => run(feeds));
      const actual = await withSession(model, (run) => run(feeds));
      for (const { name } of model.graph.outputs) {
        expect(dimsAt(shapes.get(name)!.dims, batch)).toEqual([...expected[name].dims]);
        const [want, got] = [expected, actual].map((results) => results[name].data as Float32Array);
        const error = largest(want.map((value, i) => value - got[i]));
        expect(error / Math.max(1, largest(want))).toBeLessThan(isQuantised(original) ? 0.3 : 1e-5);
      }
    }
  });
});
