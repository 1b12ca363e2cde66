/**
 * Takes one message of a consumer at a time: each `next` is a pull request of its own, so nothing waits in a buffer
 * while its ack wait runs out.
 */
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import type { Delivery } from '../port.js';
import { busErrorOf } from './faults.js';
import { messageOf } from './message.js';

/** How long a pull request stands before it is renewed; a lost one is noticed at two missed heartbeats. */
const PULL_EXPIRES_MS = 20_000;
const PULL_HEARTBEAT_MS = 5_000;
const SETTLE_TIMEOUT_MS = 5_000;

export interface OpenedConsumer {
  readonly consumer: Consumer;
  readonly ackWaitMs: number;
}

/**
 * The next message, or undefined where none came in time or the signal aborted.
 * @throws what NATS says, where the pull was refused or the connection broke
 */
export async function pull(
  connection: NatsConnection,
  { consumer, ackWaitMs }: OpenedConsumer,
  signal: AbortSignal,
): Promise<Delivery | undefined> {
  const pulled: ConsumerMessages = await consumer.fetch({
    max_messages: 1,
    expires: PULL_EXPIRES_MS,
    idle_heartbeat: PULL_HEARTBEAT_MS,
    // Renews the request after a reconnect without asking about the consumer first.
    bind: true,
  });
  const stop = () => pulled.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const message of pulled) {
      if (!signal.aborted) return deliveryOf(connection, message, ackWaitMs);
      // It came while we were leaving: somebody else may have it at once.
      message.nak();
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/**
 * Settling waits until the server has understood: an ack that is lost would have the message done again, and what was
 * handed back would come after newer messages.
 */
function deliveryOf(connection: NatsConnection, message: JsMsg, ackWaitMs: number): Delivery {
  let open = true;
  const settle = async (word: string) => {
    if (!open) return;
    open = false;
    try {
      await connection.request(replyOf(message), word, { timeout: SETTLE_TIMEOUT_MS });
    } catch (error) {
      throw busErrorOf(`settling ${message.subject}`, error);
    }
  };
  return {
    message: messageOf(message),
    attempt: message.info.deliveryCount,
    ackWaitMs,
    ack: () => settle('+ACK'),
    nak: (delayMs = 0) => settle(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: nanos(delayMs) })}` : '-NAK'),
    term: () => settle('+TERM'),
    working: async () => {
      if (open) message.working();
    },
  };
}

/** Where a message is settled: the client has it, and leaves it out of its types. */
function replyOf(message: JsMsg): string {
  if ('reply' in message && typeof message.reply === 'string') return message.reply;
  throw new TypeError('the NATS client gives no subject on which a message is settled');
}
