/** Operators that mean something else today, and those that are gone. */
import { attribute, refuse, without, type Rewrite } from './raising.js';

/** Further outputs were moving averages of training; at inference nothing may read them. */
export const batchNormalization: Rewrite = (node, graph) => {
  if (attribute(node, 'spatial', 'int') === 0n)
    return refuse(node, 'normalises every position on its own (spatial = 0), which no later version does');
  if (node.outputs.slice(1).some((name) => graph.isRead(name)))
    return refuse(node, 'its statistics are read: export for inference');
  return { ...node, outputs: node.outputs.slice(0, 1), attributes: without(node, 'spatial') };
};

/**
 * Softmax, LogSoftmax, Hardmax before version 13 take all axes from `axis` on as one. That is today's meaning
 * where only one of them is longer than 1; else the axes are made one and restored.
 */
export const softmax: Rewrite = (node, graph) => {
  const axis = Number(attribute(node, 'axis', 'int') ?? 1n);
  const [input] = node.inputs;
  const dims = graph.dims(input);
  const from = axis < 0 && dims ? axis + dims.length : axis;
  const alone = axis === -1 || dims?.slice(from + 1).every((dim) => dim === 1);
  const along = (value: number) => ({
    ...node.attributes,
    axis: { kind: 'int', value: BigInt(value) } as const,
  });
  if (alone) return { ...node, attributes: along(axis) };
  const [output] = node.outputs;
  const shape = graph.append('Shape', [input], {}, `${output}/shape`);
  const flattenAt = { axis: { kind: 'int', value: BigInt(axis) } } as const;
  const flat = graph.append('Flatten', [input], flattenAt, `${output}/flat`);
  const result = graph.append(node.op, [flat], along(-1), `${output}/rows`);
  return { ...node, op: 'Reshape', inputs: [result, shape], attributes: {} };
};

/** Upsample until version 9, and Resize as version 10 had it: positions are scaled from the corner. */
const resizeFromCorner: Rewrite = (node, graph) => {
  const mode = attribute(node, 'mode', 'string') ?? 'nearest';
  const given = attribute(node, 'scales', 'floats');
  const [output] = node.outputs;
  const scales = given
    ? graph.constant(
        { type: 'float32', dims: [given.length], data: Float32Array.from(given) },
        `${output}/scales`,
      )
    : node.inputs[1];
  const known = graph.tensor(scales)?.data as Float32Array | undefined;
  const shrinks = known?.some((scale) => scale < 1);
  if (mode === 'nearest' && (known === undefined || (shrinks && known.some((scale) => scale > 1))))
    refuse(node, 'rounds by scales that are unknown, or both above and below 1');
  const text = (value: string) => ({ kind: 'string', value }) as const;
  return {
    ...node,
    op: 'Resize',
    inputs: [node.inputs[0], '', scales],
    attributes: {
      mode: text(mode),
      coordinate_transformation_mode: text('asymmetric'),
      ...(mode === 'nearest' && { nearest_mode: text(shrinks ? 'ceil' : 'floor') }),
    },
  };
};

/** Version 11 marks inputs that are left out by empty tensors. */
export const resize: Rewrite = (node, graph) => {
  if (graph.opset < 11) return resizeFromCorner(node, graph);
  if (attribute(node, 'coordinate_transformation_mode', 'string') === 'tf_half_pixel_for_nn')
    return refuse(node, 'places pixels by tf_half_pixel_for_nn, which version 13 has removed');
  const inputs = node.inputs.map((name) => (graph.tensor(name)?.data.length === 0 ? '' : name));
  return { ...node, inputs };
};

export const upsample: Rewrite = (node, graph) =>
  graph.opset < 10 ? resizeFromCorner(node, graph) : refuse(node, 'is gone since version 10');

export const scatter: Rewrite = (node) => ({ ...node, op: 'ScatterElements' });

/** Before version 16 there was one way to place pixels; it is no longer the default. */
export const roiAlign: Rewrite = (node) => ({
  ...node,
  attributes: {
    ...node.attributes,
    coordinate_transformation_mode: { kind: 'string', value: 'output_half_pixel' },
  },
});
