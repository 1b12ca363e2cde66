/** Compiles a forward pass from pixels to the tensors that decisions, priors and probes are made of. */
import { GraphBuilder } from '../builder.js';
import { valueInfo } from '../graph-tools/walk.js';
import type { ElementType, Model } from '../graph.js';
import { HALVES } from '../quantised/numbers.js';
import { BATCH, framed, type Prepared } from './frame.js';
import { checkTensor, modelAs } from './objective.js';
import { pooled, poolingOf, textureOf } from './pooled.js';
import type { PixelInput } from './spec.js';

export interface ForwardSpec {
  readonly input: PixelInput;
  /** Tensors that come out as they are, under their own names. */
  readonly outputs: readonly string[];
  /** Features that come out as means over their spatial axes, [N, C], under {@link pooledName}. */
  readonly pooled?: readonly string[];
  /** A feature map whose texture statistic comes out, [N, 2C], under {@link textureName}. */
  readonly texture?: string;
  /** Weights and running moments that are inputs under their own names, as in a training, where they change. */
  readonly fed?: readonly string[];
}

const FLOATS: ReadonlySet<ElementType> = new Set(['float32', ...HALVES]);

export const pooledName = (tensor: string): string => `${tensor}/pooled`;
export const textureName = (tensor: string): string => `${tensor}/texture`;

/**
 * Input: `pixels` float32 [N, 3, H, W] in [0, 1]; outputs are float32, also where the model computes with halves. A texture statistic is [channel means, channel standard
 * deviations], sqrt(variance + 1e-5) of the population.
 *
 * @throws ModelError 'invalid' where a tensor is not in the model, 'unsupported' where it is not of a feature's form
 */
export function compileForward(prepared: Prepared, spec: ForwardSpec): Model {
  const features = [...(spec.pooled ?? []), ...(spec.texture === undefined ? [] : [spec.texture])];
  const own = ['pixels', ...(spec.pooled ?? []).map(pooledName), textureName(spec.texture ?? '')];
  const halves = spec.outputs.filter((name) => HALVES.has(prepared.shapes.get(name)?.type ?? 'float32'));
  const { graph, shapes, at } = framed(prepared, spec.input, new Set([...own, ...halves]), spec.fed);
  for (const tensor of [...spec.outputs, ...features]) checkTensor(prepared, tensor, FLOATS);
  const b = new GraphBuilder(graph);
  const float = (tensor: string): string =>
    shapes.get(tensor)?.type === 'float32' ? tensor : b.node('Cast', [tensor], { to: 1 });
  for (const name of spec.outputs)
    b.output(float(at(name)), 'float32', valueInfo(at(name), shapes).dims, name);
  for (const name of spec.pooled ?? []) {
    const pooling = poolingOf(shapes, at(name));
    b.output(pooled(b, float(at(name)), pooling), 'float32', [BATCH, pooling.channels], pooledName(name));
  }
  if (spec.texture !== undefined) {
    const tensor = at(spec.texture);
    const pooling = poolingOf(shapes, tensor);
    const { mean, deviation } = textureOf(b, float(tensor), pooling);
    const both = b.node('Concat', [mean, deviation], { axis: 1 });
    b.output(both, 'float32', [BATCH, 2 * pooling.channels], textureName(spec.texture));
  }
  return modelAs(prepared, b.build('forward'));
}
