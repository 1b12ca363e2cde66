import { prepare, type Model, type Tensor } from '@facet/onnx';
import { describe, expect, it } from 'vitest';
import { withInitialWeights } from './initial.js';
import { buildMultitask } from './multitask.js';

const SIZE = 32;
const built = (seed: number, facets: readonly 'depth'[] = []): Model =>
  buildMultitask({ backbone: 'resnet-18', size: SIZE, channels: 3, facets, seed }).model;
const weight = ({ graph }: Model, name: string): Tensor => graph.initializers.get(name)!;
const own = built(1, ['depth']);
const other = built(2);

describe('initial weights', () => {
  it('are found by our names, and by torchvision s where the head has others', () => {
    const torchvision = new Map(
      [...other.graph.initializers].flatMap(([name, tensor]): [string, Tensor][] =>
        name.startsWith('trunk.') ? [[name.slice('trunk.'.length), tensor]] : [],
      ),
    );
    for (const source of [other, new Map(other.graph.initializers), torchvision]) {
      const model = withInitialWeights(own, source, 'unit');
      const name = 'trunk.layer3.0.conv1.weight';
      expect(weight(model, name).data).toEqual(weight(other, name).data);
      expect(weight(model, 'depth.logits.weight')).toEqual(weight(own, 'depth.logits.weight'));
    }
  });

  it('are found layer by layer in a model with other names and folded normalisations', () => {
    const renamed = anonymous(other);
    const whole = withInitialWeights(own, renamed, 'unit');
    expect(weight(whole, 'trunk.layer2.1.conv2.weight').data).toEqual(
      weight(other, 'trunk.layer2.1.conv2.weight').data,
    );
    const dims = new Map([['pixels', [{ perSample: 1 }, 3, SIZE, SIZE]]]);
    const folded = withInitialWeights(own, anonymous(prepare(other, dims).model), 'unit');
    const scale = weight(other, 'trunk.bn1.weight').data[0] as number;
    const deviation = Math.sqrt((weight(other, 'trunk.bn1.running_var').data[0] as number) + 1e-5);
    expect(weight(folded, 'trunk.conv1.weight').data[0]).toBeCloseTo(
      ((weight(other, 'trunk.conv1.weight').data[0] as number) * scale) / deviation,
      6,
    );
    expect([...(weight(folded, 'trunk.bn1.weight').data as Float32Array)]).toEqual(new Array(64).fill(1));
  });

  it('take what ImageNet networks do to pixels into the first convolution', () => {
    const model = withInitialWeights(own, other, 'imagenet');
    const [mine, theirs] = [model, other].map((one) => weight(one, 'trunk.conv1.weight').data);
    expect(mine[0]).toBeCloseTo((theirs[0] as number) / 0.229, 5);
    const taps = 7 * 7;
    const shift = [0.485, 0.456, 0.406].reduce(
      (sum, mean, c) =>
        sum +
        Array.from({ length: taps }, (_, i) => (mine[c * taps + i] as number) * mean).reduce(
          (a, b) => a + b,
          0,
        ),
      0,
    );
    expect(weight(model, 'trunk.bn1.running_mean').data[0]).toBeCloseTo(
      (weight(other, 'trunk.bn1.running_mean').data[0] as number) + shift,
      4,
    );
  });

  it('must hold the whole trunk', () => {
    const part = new Map(other.graph.initializers);
    part.delete('trunk.layer4.0.conv1.weight');
    expect(() => withInitialWeights(own, part, 'unit')).toThrow(
      'trunk.layer4.0.conv1.weight: is not among the initial weights',
    );
    const small = buildMultitask({ backbone: 'vgg-small', size: SIZE, channels: 3, facets: [], seed: 0 });
    expect(() => withInitialWeights(own, anonymous(small.model), 'unit')).toThrow(
      /trunk.conv1.weight: has no counterpart/,
    );
  });
});

/** The model with names as an exporter gives them. */
function anonymous(model: Model): Model {
  const names = new Map([...model.graph.initializers.keys()].map((name, i) => [name, `onnx::Conv_${i}`]));
  return {
    ...model,
    graph: {
      ...model.graph,
      initializers: new Map(
        [...model.graph.initializers].map(([name, tensor]) => [names.get(name)!, tensor]),
      ),
      nodes: model.graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((name) => names.get(name) ?? name),
      })),
    },
  };
}
