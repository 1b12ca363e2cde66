/** `facet inspect` and `facet gradient` from outside: against PyTorch's gradients, and on published models. */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraphBuilder, modelOf, tensorF32, writeModel } from '@facet/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, type Run, scratch } from './facet.js';

const CASES = process.env['FACET_CASES'];

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
});
afterAll(() => folder.remove());

async function numbers(file: string): Promise<Float32Array> {
  const bytes = await readFile(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe.skipIf(CASES === undefined)('facet gradient, against PyTorch in float64 (FACET_CASES)', () => {
  it.each(['vgg', 'densenet', 'vit', 'mobilenetv2', 'convnext', 'cdcn'])('%s', async (name) => {
    const given = (suffix: string) => join(CASES!, 'gradients', `${name}.${suffix}`);
    const written = { gradient: folder.path(`${name}.g.f32`), logits: folder.path(`${name}.z.f32`) };
    const options = ['--input', given('input.f32'), '--shape', '2,3,64,64', '--labels', '0,1'];
    const outputs = ['--output', written.gradient, '--logits', written.logits];
    const run = await facet(['gradient', given('onnx'), ...options, ...outputs]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('cross-entropy of "logits"');

    const logits = await numbers(written.logits);
    const wantedLogits = await numbers(given('output.f32'));
    expect(logits).toHaveLength(wantedLogits.length);
    wantedLogits.forEach((value, i) => expect(Math.abs(logits[i] - value)).toBeLessThan(1e-4));

    const gradient = await numbers(written.gradient);
    const wanted = await numbers(given('gradient.f32'));
    expect(gradient).toHaveLength(wanted.length);
    const [length, wantedLength] = [gradient, wanted].map((values) => Math.sqrt(dot(values, values)));
    const error = gradient.map((value, i) => value - wanted[i]);
    expect(Math.sqrt(dot(error, error))).toBeLessThanOrEqual(1e-2 * wantedLength);
    if (wantedLength > 0) expect(dot(gradient, wanted) / (length * wantedLength)).toBeGreaterThan(0.999);
  });
});

describe.skipIf(CASES === undefined)('facet inspect, on published models (FACET_CASES)', () => {
  it.each([
    ['minifas', 'symbolic, "batch_size"'],
    ['AntiSpoofing_bin_1.5_128', 'static, 1'],
  ])('%s', async (name, batch) => {
    const file = join(CASES!, 'published', `${name}.onnx`);
    const { code, stdout, stderr } = await facet(['inspect', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [
      batch,
      'differentiable  yes',
      'agrees with central differences',
      '[N, 512, 8, 8]',
      'height: 128',
      'width: 128',
      'kind: logits',
      'classes: 2',
    ])
      expect(stdout).toContain(part);
    const [, ...lines] = stdout.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);

    const json = JSON.parse((await facet(['inspect', file, '--json'])).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      schema: 'facet.inspection/v1',
      obstacle: null,
      gradient: { differentiable: true, of: 'model', check: { verdict: 'agrees' } },
      manifest: {
        document: {
          schema: 'facet.model/v1',
          input: { name: 'input', height: 128, width: 128 },
          output: { kind: 'logits', name: 'output', classes: 2 },
        },
      },
    });
    expect(json['parameters']).toBeGreaterThan(4e5);
    expect(json['flops']).toBeGreaterThan(1e8);
    expect((json['facets'] as unknown[]).length).toBeGreaterThan(10);
  });
});

const SIDE = 4;

/** logits = flat(image) W; `op` stands before them. */
async function model(name: string, op = 'Identity'): Promise<string> {
  const b = new GraphBuilder();
  b.input('image', 'float32', ['N', 3, SIDE, SIDE]);
  const size = 3 * SIDE * SIDE;
  const weights = tensorF32(
    [size, 2],
    Array.from({ length: 2 * size }, (_, i) => Math.sin(i)),
  );
  const embedding = b.node('Flatten', [b.node(op, ['image'])]);
  b.node('MatMul', [embedding, b.initializer('w', weights)], {}, 'logits');
  b.output('logits', 'float32', ['N', 2]);
  const file = folder.path(name);
  await writeFile(file, writeModel(modelOf(b.build('small'))));
  return file;
}

describe('what is in the way', () => {
  it('of a gradient is said with the node, and what works without it', async () => {
    const { code, stdout } = await facet(['inspect', await model('round.onnx', 'Round')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/differentiable {2}no, "logits"/);
    expect(stdout).toMatch(/in the way +node "[^"]*Round" \(Round\): /);
    expect(stdout).toMatch(/still works +decisions and clean metrics; no facet/);
  });

  it('of everything is said with the node, and what the file says stands', async () => {
    const { code, stdout } = await facet(['inspect', await model('odd.onnx', 'Frobnicate')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/in the way +node "[^"]*Frobnicate" \(Frobnicate\): /);
    expect(stdout).toMatch(/parameters +96/);
  });
});

describe('facet gradient', () => {
  const zeros = (count: number): Uint8Array => new Uint8Array(new Float32Array(count).buffer);

  interface Asked {
    readonly model?: string;
    readonly input?: Uint8Array;
    readonly options?: Readonly<Record<string, string>>;
  }

  let asked = 0;
  async function ask({ model: given, input = zeros(2 * 48), options = {} }: Asked) {
    const at = (name: string) => folder.path(`ask-${asked}.${name}`);
    asked++;
    await writeFile(at('x.f32'), input);
    const all = { input: at('x.f32'), shape: '2,3,4,4', labels: '0,1', output: at('g.f32'), ...options };
    const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    const run = await facet(['gradient', given ?? (await model('good.onnx')), ...args]);
    return { run, output: all.output };
  }

  it('writes whole files of exact sizes, and leaves nothing else', async () => {
    const { run, output } = await ask({ options: { objective: 'margin' } });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const gradient = await numbers(output);
    expect(gradient).toHaveLength(96);
    gradient.forEach((value, i) => {
      const difference = Math.sin(2 * (i % 48) + 1) - Math.sin(2 * (i % 48));
      expect(value).toBeCloseTo(i < 48 ? difference : -difference, 5);
    });
    expect((await readdir(folder.path())).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it.each<[string, Asked, ...string[]]>([
    ['a short input', { input: zeros(95) }, 'x.f32: has 380 bytes', '2x3x4x4', '384'],
    ['an input that is no number', { input: new Uint8Array(384).fill(255) }, 'x.f32: value 0 is NaN'],
    ['an input that is not there', { options: { input: 'nowhere.f32' } }, 'nowhere.f32: does not exist'],
    ['another size', { options: { shape: '2,3,2,8' } }, '--shape: axis 2 is 2, but 4'],
    ['three axes', { options: { shape: '2,3,16' } }, '--shape', '4 sizes'],
    ['too few labels', { options: { labels: '1' } }, '--labels: has 1 labels for 2 samples'],
    ['a class that is not there', { options: { labels: '0,2' } }, '--labels: 2 is not below 2'],
    ['words for labels', { options: { labels: 'live,spoof' } }, '--labels', 'whole numbers'],
    ['another objective', { options: { objective: 'hinge' } }, '--objective', 'cross-entropy, margin'],
    ['only live classes', { options: { objective: 'margin', live: '0,1' } }, '--live: 0,1 of 2 classes'],
    ['no such tensor', { options: { 'output-tensor': 'none' } }, '--output-tensor: the model has no tensor'],
    ['no such model', { model: 'nowhere.onnx' }, 'nowhere.onnx: does not exist'],
  ])('refuses %s by the option or file', async (_, given, ...says) => {
    const { run, output } = await ask(given);
    expectRefusal(run, says);
    expect(existsSync(output)).toBe(false);
  });

  it('names the node that has no gradient, and what it cannot write', async () => {
    const { run } = await ask({ model: await model('step.onnx', 'Round') });
    expectRefusal(run, ['step.onnx: ', 'Round has no gradient']);
    const { run: unwritten } = await ask({ options: { output: folder.path('no', 'such', 'folder.f32') } });
    expectRefusal(unwritten, ['folder.f32: cannot be written']);
  });

  function expectRefusal({ code, stdout, stderr }: Run, says: readonly string[]): void {
    expect(stderr).toMatch(/^facet: .*\n$/);
    for (const part of says) expect(stderr).toContain(part);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  }
});
