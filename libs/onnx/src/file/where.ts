/** How errors name a place in a file. Names come from the file, so they are cut where they would fill a log. */
import type { NodeProto } from './generated/onnx_pb.js';

const LONGEST_NAME = 120;

const cut = (name: string): string =>
  name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name;

export const named = (kind: string, name: string): string => `${kind} '${cut(name)}'`;

/** A node by its name, or by its first output where it has none. */
export const nodeAt = (node: Pick<NodeProto, 'name' | 'opType' | 'output'>): string =>
  `node '${cut(node.name || (node.output[0] ?? ''))}' (${cut(node.opType)})`;

export const quoted = (name: string): string => `'${cut(name)}'`;
