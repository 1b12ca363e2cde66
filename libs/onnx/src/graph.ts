/**
 * The graph that everything here works on: a plain, immutable view of an ONNX model. Reading and writing
 * translate between it and the file; every transform takes one and returns another.
 */

/** Element types, by their ONNX names in lower case. */
export const ELEMENT_TYPES = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
  'string',
] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** Elements in row-major order; float16 and bfloat16 as their bits, bool as 0 and 1. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** A constant: an initializer or an attribute's value. `data.length` is the product of `dims`. */
export interface Tensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export type AttributeValue =
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'ints'; readonly value: readonly bigint[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] };

export interface Node {
  /** Unique in its graph; given by us where the file gave none. */
  readonly name: string;
  readonly op: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  /** '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A graph input's or output's size along an axis: fixed, or a name that the file gives to an unknown one. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order: a node stands behind everything that it reads. */
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Tensors whose shapes are written into the file, for a runtime that does not find them itself. */
  readonly stated?: readonly ValueInfo[];
}

export interface Model {
  readonly irVersion: number;
  /** Version of the default operator set. */
  readonly opset: number;
  /** Further operator sets by domain. */
  readonly domains: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: Graph;
}

/**
 * A size known up to the batch: a number, or a whole multiple of the batch size N, as in Swin's windows, where
 * N images become 64 N windows.
 */
export type Dim = number | { readonly perSample: number };

/** What shape inference knows of a tensor. */
export interface TensorInfo {
  readonly type: ElementType;
  readonly dims: readonly Dim[];
}
export type Shapes = ReadonlyMap<string, TensorInfo>;
