/**
 * The multitask anti-spoofing network of the paper: one trunk, the live-or-spoof decision, and up to five
 * auxiliary facets, each behind a semantic feature of its own, so that each can be attacked by itself.
 *
 * Annotations: pooled trunk -> linear + ReLU = the facet's feature [N, 32] -> class or attribute logits.
 * Geometric maps: 3x3 convolution, normalised, ReLU on the last map = the feature [N, 32, h, w], whose mean over h
 * and w is the semantic vector -> 3x3 convolution -> sigmoid, a map [N, 1, h, w] in [0,1].
 */
import {
  ATTRIBUTES,
  type AuxiliaryFacet,
  AUXILIARY_FACETS,
  type BackboneName,
  CLASSES,
  DECISION_FACET,
  ILLUMINATIONS,
  LIVE,
  type ModelFacet,
  type ModelManifest,
  SPOOF_TYPES,
} from '@facet/contracts';
import { GraphBuilder, type Model, modelOf } from '@facet/onnx';
import { BACKBONES, misfit } from './backbones/index.js';
import { Layers, type Maps, type Vectors } from './layers.js';

/** Width of every facet's semantic feature. */
export const FEATURE_SIZE = 32;

export interface MultitaskOptions {
  readonly backbone: BackboneName;
  /** Height and width of the input in pixels, as the backbone takes them. */
  readonly size: number;
  readonly channels: 3;
  readonly facets: readonly AuxiliaryFacet[];
  readonly seed: number;
}

/** A network and what its manifest says about it. */
export interface MultitaskNetwork {
  /** Input `pixels` [N, 3, size, size] in [0,1], RGB; outputs as `output` and `facets` name them. */
  readonly model: Model;
  readonly input: ModelManifest['input'];
  readonly output: ModelManifest['output'];
  readonly facets: Readonly<Record<string, ModelFacet>>;
  /**
   * The tensor that each facet's loss is best taken on: its logits, for a map those before the sigmoid. A squared error
   * behind the sigmoid has no gradient left once the map has gone to 0, where most of a depth map is.
   */
  readonly logits: Readonly<Record<string, string>>;
  /** The mid-depth map for the texture term. */
  readonly texture: string;
}

/** Logits of the facets that are annotations; attributes are independent of each other, the others exclusive. */
const LOGITS: Partial<
  Record<AuxiliaryFacet, { readonly count: number; readonly kind: 'classes' | 'multi-label' }>
> = {
  attributes: { count: ATTRIBUTES.length, kind: 'multi-label' },
  'spoof-type': { count: SPOOF_TYPES.length, kind: 'classes' },
  illumination: { count: ILLUMINATIONS.length, kind: 'classes' },
};

/** @throws RangeError for a size that the backbone does not take; {@link misfit} says why */
export function buildMultitask(options: MultitaskOptions): MultitaskNetwork {
  const { size } = options;
  const problem = misfit(options.backbone, size);
  if (problem !== undefined) throw new RangeError(problem);

  const builder = new GraphBuilder();
  const layers = new Layers(builder, options.seed);
  builder.input('pixels', 'float32', ['N', options.channels, size, size]);
  const pixels: Maps = { tensor: 'pixels', channels: options.channels, height: size, width: size };
  const trunk = BACKBONES[options.backbone].build(layers, pixels);
  const pooled = layers.globalAveragePool('pooled', trunk.last);

  const heads: Record<string, Head> = {
    [DECISION_FACET]: annotation(layers, DECISION_FACET, pooled, CLASSES.length, 'classes'),
  };
  for (const facet of AUXILIARY_FACETS) {
    if (!options.facets.includes(facet)) continue;
    const logits = LOGITS[facet];
    heads[facet] = logits
      ? annotation(layers, facet, pooled, logits.count, logits.kind)
      : geometricMap(layers, facet, trunk.last);
  }

  return {
    model: modelOf(builder.build(options.backbone)),
    input: {
      name: 'pixels',
      layout: 'nchw',
      height: size,
      width: size,
      colour: 'rgb',
      white: 1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    output: { kind: 'logits', name: DECISION_FACET, classes: CLASSES.length, live: [LIVE] },
    facets: mapValues(heads, ({ facet }) => facet),
    logits: mapValues(heads, ({ logits }) => logits),
    texture: trunk.texture.tensor,
  };
}

interface Head {
  readonly facet: ModelFacet;
  readonly logits: string;
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

function annotation(
  layers: Layers,
  name: string,
  pooled: Vectors,
  count: number,
  kind: 'classes' | 'multi-label',
): Head {
  const dense = layers.linear(`${name}.dense`, pooled, FEATURE_SIZE, 'relu');
  const feature = layers.relu(`${name}.feature`, dense);
  const logits = layers.linear(name, feature, count, 'linear');
  layers.builder.output(logits.tensor, 'float32', ['N', count]);
  return { facet: { feature: feature.tensor, head: { output: logits.tensor, kind } }, logits: logits.tensor };
}

function geometricMap(layers: Layers, name: string, last: Maps): Head {
  const feature = layers.convNormRelu(`${name}.feature`, last, { channels: FEATURE_SIZE });
  const logits = layers.conv(`${name}.logits`, feature, { channels: 1, bias: true, gain: 'linear' });
  const map = layers.sigmoid(name, logits);
  layers.builder.output(map.tensor, 'float32', ['N', 1, map.height, map.width]);
  return {
    facet: { feature: feature.tensor, head: { output: map.tensor, kind: 'map' } },
    logits: logits.tensor,
  };
}
