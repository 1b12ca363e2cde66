/** Opens a model that has no manifest, by what its file says alone. */
import {
  type Dim,
  inferShapes,
  type Model,
  ModelError,
  prepare,
  type PreparedModel,
  raiseOpset,
  rebatch,
  type ValueInfo,
} from '@facet/onnx';

/** Heights and widths that face models have, tried in turn where a file leaves its own open. */
const USUAL_SIZES = [128, 224, 112, 256, 80, 64];

export interface PlainModel {
  /** The file's own graph with a free batch axis. */
  readonly published: PreparedModel;
  readonly input: ValueInfo;
  readonly height: number;
  readonly width: number;
  /** The file leaves height or width open; what stands here is a guess, or what the caller gave. */
  readonly sizeIsOpen: boolean;
  readonly dims: ReadonlyMap<string, readonly Dim[]>;
}

/** The input that holds the image: the first of four axes. */
export const imageInput = ({ graph }: Model): ValueInfo =>
  graph.inputs.find(({ dims }) => dims.length === 4) ?? graph.inputs[0];

function at(model: Model, [height, width]: readonly [number, number]): PlainModel {
  const input = imageInput(model);
  const open = [0, 3, height, width];
  const sizeAt = (dim: number | string, axis: number, name: string): Dim => {
    if (axis === 0) return { perSample: 1 };
    if (typeof dim === 'number') return dim;
    if (axis < open.length) return open[axis];
    throw new ModelError('unsupported', `axis ${axis} ('${dim}') is not fixed`, `input '${name}'`);
  };
  const dims = new Map(
    model.graph.inputs.map((value): [string, Dim[]] => [
      value.name,
      value.dims.map((dim, axis) => sizeAt(dim, axis, value.name)),
    ]),
  );
  const sizeOf = (axis: number): number => Number(dims.get(input.name)?.[axis]);
  return {
    published: { model, shapes: inferShapes(model.graph, dims) },
    input,
    height: sizeOf(2),
    width: sizeOf(3),
    sizeIsOpen: input.dims.slice(2).some((dim) => typeof dim === 'string'),
    dims,
  };
}

/**
 * @param size height and width; where it is not given and the file leaves them open, the first usual one that fits
 * @throws ModelError as reading, raising, opening the batch and shape inference do
 */
export function openPlain(read: Model, size?: readonly [number, number]): PlainModel {
  const model = rebatch(raiseOpset(read));
  if (size !== undefined) return at(model, size);
  const open = imageInput(model).dims.some((dim, axis) => axis > 1 && typeof dim === 'string');
  let first: ModelError | undefined;
  for (const side of open ? USUAL_SIZES : USUAL_SIZES.slice(0, 1)) {
    try {
      return at(model, [side, side]);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      first ??= error;
    }
  }
  throw first!;
}

/** The graph that is differentiated, in which `tensors` keep their names. */
export const prepared = ({ published, dims }: PlainModel, tensors: Iterable<string>): PreparedModel =>
  prepare(published.model, dims, { keep: new Set(tensors) });

/** The model's own input tensor, without any preprocessing in front of it. */
export const asItIs = (name: string) =>
  ({ name, scale: [1, 1, 1], offset: [0, 0, 0], swapRedBlue: false }) as const;
