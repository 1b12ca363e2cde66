/** What a sound run is given, and what it takes to spoil it. */
import { GraphBuilder, modelOf, tensorF32, writeModel } from '@facet/onnx';
import type { Faces } from './inputs.fixture.js';

export const SIZE = 16;

type Json = Record<string, unknown>;

/** What a run is given; text stands in its file as it is, nothing gives no file. */
export interface Given {
  model: Uint8Array | string;
  manifest: Json | string;
  dataset: Json | string | undefined;
  images: Faces['images'];
  plan: Json | string;
  policy: Json | string;
}

export const plan = {
  schema: 'facet.plan/v1',
  name: 'small',
  seed: 1,
  samples: 4,
  batch: 4,
  shard: 4,
  priorSamples: 10,
  attacks: [
    {
      facets: ['live'],
      objectives: ['direct'],
      searches: [{ name: 'fgsm' }],
      threats: [{ norm: 'linf', epsilon: '2/255' }],
    },
  ],
};
export const policy = { schema: 'facet.policy/v1', name: 'none', attacks: [{ maxAttackSuccessRate: 1 }] };

/** A copy in which the value at `path` is another one. */
export function withValue<T>(of: T, path: readonly (string | number)[], value: unknown): T {
  const copy = structuredClone(of);
  let at = copy as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) at = at[part] as typeof at;
  at[path.at(-1)!] = value;
  return copy;
}

/** A model whose decision passes through one operator, and `early` before it does not. */
export function deciding(op: 'Frobnicate' | 'Det' | 'Hardmax' | 'Round' | 'Softmax'): Uint8Array {
  const builder = new GraphBuilder();
  builder.input('pixels', 'float32', ['N', 3, SIZE, SIZE]);
  const weights = (...dims: number[]) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return builder.constant(
      tensorF32(
        dims,
        Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 11 - 0.45),
      ),
    );
  };
  const map = builder.node('Conv', ['pixels', weights(3, 3, 1, 1)], {}, 'early');
  const pooled = builder.node('Flatten', [builder.node('GlobalAveragePool', [map])]);
  const odd = builder.node(op, [op === 'Det' ? map : pooled], {}, 'odd');
  builder.output(builder.node('Gemm', [odd, weights(3, 2)]), 'float32', ['N', 2], 'live');
  return writeModel(modelOf(builder.build('odd')));
}

/** The manifest of such a model. */
export const bare = {
  schema: 'facet.model/v1',
  name: 'odd',
  version: '1',
  input: { name: 'pixels', height: SIZE, width: SIZE, colour: 'rgb', white: 1 },
  output: { kind: 'logits', name: 'live', classes: 2, live: [0] },
};
