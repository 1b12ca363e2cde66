/**
 * How large a file may be that is read. A file is hostile until it is checked: each limit stops a small file
 * from becoming large in memory, or a large one from being parsed at all.
 */
export interface FileLimits {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Protobuf fields in the whole file; two bytes each on disk become an object of a hundred when parsed. */
  readonly records: number;
  /** Numbers in packed lists of varints; one byte each on disk becomes up to twenty-four when parsed. */
  readonly numbers: number;
  /** Messages within messages; reading goes down into them. */
  readonly nesting: number;
  readonly nodes: number;
  readonly initializers: number;
  /** Elements of one constant, and the largest size of an input's or output's axis. */
  readonly elementsPerTensor: number;
  /** Axes of one tensor. */
  readonly axes: number;
}

/** Room for every published face model and for the largest common backbones (VGG-16: 138 million weights, 553 MB). */
export const DEFAULT_FILE_LIMITS: FileLimits = {
  bytes: 2 ** 30,
  records: 2 ** 21,
  numbers: 2 ** 24,
  nesting: 24,
  nodes: 20_000,
  initializers: 20_000,
  elementsPerTensor: 2 ** 28,
  axes: 32,
};
