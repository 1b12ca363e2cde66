/** Looking into streams on JetStream: ordered consumers, which the server forgets and nobody else notices. */
import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { PlacedMessage, ReadOptions, StreamPosition } from '../reader.js';
import { messageOf } from './message.js';

/** "no message found": deleting answers it beside the code of the same meaning for reading. */
const NOTHING_TO_DELETE_CODES: readonly number[] = [10043, 10057, JetStreamApiCodes.NoMessageFound];

export async function positionOf(jsm: JetStreamManager, stream: string): Promise<StreamPosition> {
  const { created, state } = await jsm.streams.info(stream);
  return {
    epoch: created,
    first: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
    last: state.last_seq,
  };
}

const orderedFrom = (
  js: JetStreamClient,
  stream: string,
  { after, subjects }: ReadOptions,
): Promise<Consumer> =>
  js.consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
    ...(subjects !== undefined && { filter_subjects: [...subjects] }),
  });

export async function readNow(
  js: JetStreamClient,
  stream: string,
  { limit, ...from }: ReadOptions & { readonly limit: number },
): Promise<PlacedMessage[]> {
  const consumer = await orderedFrom(js, stream, from);
  try {
    const { num_pending: there } = await consumer.info();
    const wanted = Math.min(limit, there);
    if (wanted === 0) return [];
    const found: PlacedMessage[] = [];
    for await (const message of await consumer.fetch({ max_messages: wanted })) {
      found.push({ sequence: message.seq, message: messageOf(message) });
      if (found.length === wanted) break;
    }
    return found;
  } finally {
    await consumer.delete().catch(() => undefined);
  }
}

/** A server that has forgotten the reader is noticed after two heartbeats; by default that is half a minute. */
const HEARTBEAT_MS = 1_000;
const EXPIRES_MS = 10_000;

/** Ends when the signal aborts, or where messages were lost on their way: what is behind the last one is asked for anew. */
export async function* followFrom(
  js: JetStreamClient,
  stream: string,
  options: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<PlacedMessage> {
  const consumer = await orderedFrom(js, stream, options);
  const coming: ConsumerMessages = await consumer.consume({
    expires: EXPIRES_MS,
    idle_heartbeat: HEARTBEAT_MS,
  });
  const stop = () => coming.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  void lossOf(coming).then(stop);
  try {
    for await (const message of coming) {
      if (signal.aborted) return;
      yield { sequence: message.seq, message: messageOf(message) };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await consumer.delete().catch(() => undefined);
  }
}

/**
 * Resolves where the server has sent more than came, or nothing comes any more. Nobody acknowledges here, so what was on
 * its way over a connection that broke does not come again; the client notices at the next message, which may never be.
 */
async function lossOf(coming: ConsumerMessages): Promise<void> {
  let before = 0;
  for await (const told of coming.status()) {
    // The server counts from the beginning again.
    if (told.type === 'ordered_consumer_recreated') before = coming.getReceived();
    if (told.type === 'heartbeat' && told.lastConsumerSequence !== coming.getReceived() - before) return;
  }
}

export async function removeAt(jsm: JetStreamManager, stream: string, sequence: number): Promise<boolean> {
  try {
    return await jsm.streams.deleteMessage(stream, sequence);
  } catch (error) {
    if (error instanceof JetStreamApiError && NOTHING_TO_DELETE_CODES.includes(error.code)) return false;
    throw error;
  }
}
