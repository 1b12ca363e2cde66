/**
 * Whole models: networks whose gradients PyTorch computed in float64, and published anti-spoofing models against
 * central differences. They lie in a folder of their own, which FACET_CASES names.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { raiseOpset, readModel, rebatch } from '../file/index.js';
import { prepare } from '../fold/index.js';
import { noise, run } from '../gradient/differences.fixture.js';
import { compileForward } from './forward.js';
import type { Prepared } from './frame.js';
import { compileObjective } from './objective.js';
import type { PixelInput, Term } from './spec.js';

const FOLDER = process.env['FACET_CASES'];

function prepared(file: string, size: number): { model: Prepared; input: PixelInput; output: string } {
  const raised = rebatch(raiseOpset(readModel(readFileSync(join(FOLDER!, file)))));
  const [{ name }] = raised.graph.inputs;
  const model = prepare(raised, new Map([[name, [{ perSample: 1 }, 3, size, size]]]));
  const input: PixelInput = { name, scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false };
  return { model, input, output: model.model.graph.outputs[0].name };
}

function numbers(file: string): Float32Array {
  const bytes = readFileSync(join(FOLDER!, 'gradients', file));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
const labels = { dims: [2], data: BigInt64Array.of(0n, 1n) };

describe.skipIf(FOLDER === undefined)('against PyTorch in float64 (FACET_CASES)', () => {
  it.each(['vgg', 'densenet', 'vit', 'mobilenetv2', 'convnext', 'cdcn'])('%s', async (name) => {
    const { model, input, output } = prepared(`gradients/${name}.onnx`, 64);
    const pixels = { dims: [2, 3, 64, 64], data: numbers(`${name}.input.f32`) };
    const outputs = await run(compileForward(model, { input, outputs: [output] }), { pixels });
    numbers(`${name}.output.f32`).forEach((value, i) =>
      expect(Math.abs(outputs[output].data[i] - value)).toBeLessThan(1e-4),
    );
    const term: Term = { kind: 'cross-entropy', logits: output, target: 'label' };
    const objective = compileObjective(model, { input, terms: [{ term, weight: 1 }] });
    const gradient = (await run(objective, { pixels, label: labels }))['gradient'].data;
    const expected = numbers(`${name}.gradient.f32`);
    const [length, wanted] = [gradient, expected].map((g) => Math.sqrt(dot(g, g)));
    const error = Math.hypot(...expected.map((value, i) => gradient[i] - value));
    expect(error).toBeLessThanOrEqual(1e-2 * wanted);
    if (wanted > 0) expect(dot(gradient, expected) / (length * wanted)).toBeGreaterThan(0.999);
  });
});

/** The slope of the summed objective along a direction, by the gradient and by a difference of five points. */
async function slopes(
  model: Prepared,
  input: PixelInput,
  term: Term,
  size: number,
  seed: number,
): Promise<{ gradient: number; difference: number }> {
  const objective = compileObjective(model, { input, terms: [{ term, weight: 1 }] });
  const dims = [2, 3, size, size];
  const values = noise(2 * 3 * size * size, seed).map((v) => 0.5 + 0.3 * v);
  const at = (data: Float32Array) => run(objective, { pixels: { dims, data }, label: labels });
  const { gradient } = await at(values);
  // Half along the gradient's signs, half at random: a slope that stands out of the rounding of float32.
  const random = noise(values.length, seed + 1);
  const direction = random.map((v, i) => (i % 2 === 0 ? Math.sign(v) : Math.sign(gradient.data[i])));
  const STEP = 5e-5;
  const value = async (by: number): Promise<number> => {
    const moved = await at(values.map((v, i) => v + by * STEP * direction[i]));
    return moved['value'].data.reduce((sum, v) => sum + v, 0);
  };
  const near = (await value(1)) - (await value(-1));
  const far = (await value(2)) - (await value(-2));
  return { gradient: dot(gradient.data, direction), difference: (8 * near - far) / (12 * STEP) };
}

describe.skipIf(FOLDER === undefined)('against central differences (FACET_CASES)', () => {
  it.each(
    ['minifas', 'minifas_int8', 'AntiSpoofing_bin_1.5_128'].flatMap((name) =>
      [1, 2, 3].map((seed) => [name, seed] as const),
    ),
  )('%s, direction %i', async (name, seed) => {
    const { model, input, output } = prepared(`published/${name}.onnx`, 128);
    const term: Term = { kind: 'group-margin', logits: output, live: [0] };
    const { gradient, difference } = await slopes(model, input, term, 128, seed);
    expect(Math.abs(gradient / difference - 1)).toBeLessThan(0.01);
  });

  // Its reference above is zero everywhere: the exported head is. What leads up to the head is checked here.
  it.each([1, 2, 3])('vit up to its head, direction %i', async (seed) => {
    const { model, input, output } = prepared('gradients/vit.onnx', 64);
    const head = model.model.graph.nodes.find((node) => node.outputs[0] === output)!;
    const [tensor] = head.inputs;
    const channels = Number(model.shapes.get(tensor)!.dims[1]);
    const term: Term = { kind: 'linear', tensor, weights: noise(channels, 40 + seed), bias: 0 };
    const { gradient, difference } = await slopes(model, input, term, 64, seed);
    expect(Math.abs(gradient / difference - 1)).toBeLessThan(0.01);
  });
});
