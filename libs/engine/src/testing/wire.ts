/**
 * A protobuf file as a tree that can be bent and written again, valid or not: what a schema's own library would never
 * write. Only the messages of ONNX that hold others are opened, by their field numbers.
 */

/** Which fields of a message are messages themselves, and of which kind. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 8: 'opset', 14: 'entry', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 13: 'value', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse' },
  value: { 2: 'type' },
  type: { 1: 'tensorType' },
  tensorType: { 2: 'shape' },
  shape: { 1: 'dim' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
  opset: {},
  entry: {},
  dim: {},
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 9: 'opset' },
};

export interface Message {
  readonly kind: string;
  readonly fields: Field[];
}

export interface Field {
  no: number;
  value: bigint | Uint8Array | Message;
  /** Of a fixed size in the file, 4 or 8 bytes, without a length before them. */
  fixed?: boolean;
}

export const isMessage = (value: Field['value']): value is Message =>
  typeof value === 'object' && 'fields' in value;

class Reader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** A file that is known to be whole. */
export function parse(bytes: Uint8Array, kind = 'model'): Message {
  const reader = new Reader(bytes);
  const fields: Field[] = [];
  while (!reader.done) {
    const tag = Number(reader.varint());
    const no = tag >>> 3;
    const wire = tag & 7;
    if (wire === 0) fields.push({ no, value: reader.varint() });
    else if (wire === 1 || wire === 5)
      fields.push({ no, value: reader.take(wire === 1 ? 8 : 4), fixed: true });
    else {
      const inner = reader.take(Number(reader.varint()));
      const message = MESSAGES[kind][no];
      fields.push({ no, value: message === undefined ? inner : parse(inner, message) });
    }
  }
  return { kind, fields };
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const more = rest > 0x7fn;
    bytes.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

const tag = (no: number, wire: number): number[] => varint(BigInt(no * 8 + wire));

export function write({ fields }: Message): Uint8Array {
  const parts = fields.map(({ no, value, fixed }): Uint8Array[] => {
    if (typeof value === 'bigint') return [Uint8Array.from([...tag(no, 0), ...varint(value)])];
    const bytes = isMessage(value) ? write(value) : value;
    if (fixed) return [Uint8Array.from(tag(no, bytes.length === 8 ? 1 : 5)), bytes];
    return [Uint8Array.from([...tag(no, 2), ...varint(BigInt(bytes.length))]), bytes];
  });
  return Buffer.concat(parts.flat());
}
