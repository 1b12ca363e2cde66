/** What every adapter checks before it sends or creates anything, with the same words. */
import { BusError, type ConsumerConfig, type Message, type StreamConfig } from './port.js';
import { anyOverlap, subjectsOverlap } from './subjects.js';

/** NATS' default; a server drops the connection of whoever sends more, and the message hangs. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

const TOKEN = /^[^\s.*>]+$/;
const NAME = /^[a-zA-Z0-9_-]{1,100}$/;
const HEADER_NAME = /^[!-9;-~]+$/;
const HEADER_VALUE = /^[^\r\n]*$/;
const NATS_HEADER_OVERHEAD_BYTES = 'NATS/1.0\r\nNats-Msg-Id: \r\n\r\n'.length;

/** Bytes of the message as NATS counts them: headers, the id among them, and data. */
export function payloadBytes({ id, headers, data }: Message): number {
  let bytes = NATS_HEADER_OVERHEAD_BYTES + Buffer.byteLength(id) + data.byteLength;
  for (const [name, value] of Object.entries(headers))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + ': \r\n'.length;
  return bytes;
}

export function checkMessage(message: Message): void {
  const { id, subject, headers } = message;
  if (!subject.split('.').every((token) => TOKEN.test(token)))
    throw new BusError('invalid', `"${subject}" is no subject to publish to`);
  if (!/^\S+$/.test(id)) throw new BusError('invalid', `message id "${id}" is empty or has white space`);
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value))
      throw new BusError('invalid', `message ${id}: header "${name}" cannot be sent`);
  }
  const bytes = payloadBytes(message);
  if (bytes > MAX_PAYLOAD_BYTES) {
    const advice = 'store the data as an object and send its key';
    throw new BusError(
      'too-large',
      `message ${id} to ${subject} has ${bytes} bytes, over the limit of ${MAX_PAYLOAD_BYTES}: ${advice}`,
    );
  }
}

export function checkStreams(streams: readonly StreamConfig[]): void {
  for (const [i, stream] of streams.entries()) {
    checkNameAndFilters('stream', stream);
    checkPositive(`stream ${stream.name}`, stream, ['duplicateWindowMs']);
    for (const other of streams.slice(0, i)) {
      if (other.name === stream.name)
        throw new BusError('conflict', `two streams have the name ${stream.name}`);
      if (anyOverlap(other.subjects, stream.subjects))
        throw new BusError('conflict', `streams ${other.name} and ${stream.name} take the same subjects`);
    }
  }
}

/** @param stream the stream that the consumer names */
export function checkConsumer(consumer: ConsumerConfig, stream: StreamConfig): void {
  checkNameAndFilters('consumer', consumer);
  checkPositive(`consumer ${consumer.name}`, consumer, ['ackWaitMs', 'maxDeliver', 'maxAckPending']);
  for (const filter of consumer.subjects) {
    if (!anyOverlap([filter], stream.subjects))
      throw new BusError(
        'invalid',
        `consumer ${consumer.name}: stream ${stream.name} has no subject ${filter}`,
      );
  }
}

function checkNameAndFilters(
  kind: string,
  { name, subjects }: { name: string; subjects: readonly string[] },
) {
  if (!NAME.test(name)) throw new BusError('invalid', `"${name}" is no name for a ${kind}`);
  if (subjects.length === 0) throw new BusError('invalid', `${kind} ${name} has no subjects`);
  for (const [i, filter] of subjects.entries()) {
    const tokens = filter.split('.');
    const valid = tokens.every(
      (token, at) => token === '*' || (token === '>' && at === tokens.length - 1) || TOKEN.test(token),
    );
    if (!valid) throw new BusError('invalid', `${kind} ${name}: "${filter}" is no subject filter`);
    const other = subjects.slice(0, i).find((earlier) => subjectsOverlap(earlier, filter));
    if (other !== undefined)
      throw new BusError('conflict', `${kind} ${name}: its subjects ${other} and ${filter} overlap`);
  }
}

function checkPositive<K extends string>(
  what: string,
  config: Readonly<Record<K, number>>,
  keys: readonly K[],
) {
  for (const key of keys) {
    if (!Number.isSafeInteger(config[key]) || config[key] < 1)
      throw new BusError('invalid', `${what}: ${key} must be a whole number of at least 1`);
  }
}
