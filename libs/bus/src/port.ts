/**
 * The message bus as the runtime sees it, with JetStream's semantics. A stream keeps the messages of its subjects; a
 * durable consumer, known by its name, reads them, each at least once: what is not acknowledged in time comes again,
 * to any of the consumer's readers. Messages carry keys of stored objects, never tensors.
 */

export interface Message {
  /** Publishing the same id again within the stream's duplicate window stores nothing. */
  readonly id: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
}

export interface StreamConfig {
  readonly name: string;
  /** Filters with NATS wildcards: `*` is one token, `>` at the end is one or more. No two streams overlap. */
  readonly subjects: readonly string[];
  /**
   * `limits`: messages stay, each consumer gets every one, also those from before it was known. `work-queue`: a
   * message goes to one consumer and away once it is settled; the filters of two consumers never overlap.
   */
  readonly retention: 'limits' | 'work-queue';
  readonly duplicateWindowMs: number;
}

export interface ConsumerConfig {
  /** Durable: readers of the same stream and name compete, and go on where earlier ones stopped. */
  readonly name: string;
  readonly stream: string;
  /** Which of the stream's subjects it reads; they never change for a name, and none overlaps another. */
  readonly subjects: readonly string[];
  /** A delivery that is not settled or prolonged within this time is delivered again. */
  readonly ackWaitMs: number;
  /** Deliveries of one message; after the last one it never comes again. */
  readonly maxDeliver: number;
  /** With so many deliveries unsettled no new message is given out. */
  readonly maxAckPending: number;
}

/**
 * One attempt at a message. The first of `ack`, `nak` and `term` settles it, later calls do nothing. An `ack` or
 * `term` counts although the message has been given to another reader meanwhile: results are stored before it.
 */
export interface Delivery {
  readonly message: Message;
  /** 1 for the first. */
  readonly attempt: number;
  /** Not settled or prolonged for so long, it is delivered again: the consumer's own, which a server may hold otherwise. */
  readonly ackWaitMs: number;
  /** It is done. */
  ack(): Promise<void>;
  /** It failed: deliver it again, at once or after a time. */
  nak(delayMs?: number): Promise<void>;
  /** It will never succeed: do not deliver it again. */
  term(): Promise<void>;
  /** It is still being worked on: begin the ack wait anew. */
  working(): Promise<void>;
}

export interface Bus {
  /**
   * Resolves once the stream has the message.
   * @throws {BusError} before anything is sent, where the message breaks a rule or no stream takes its subject
   */
  publish(message: Message, options?: { readonly signal?: AbortSignal }): Promise<{ duplicate: boolean }>;
  /**
   * A reader of the consumer, which is created where it is new, by the first `next()`. Nothing is fetched ahead: a
   * message is taken when it is asked for. Ends when the signal aborts or the bus closes.
   * @throws {BusError} from the first `next()`, where the configuration is refused
   */
  consume(consumer: ConsumerConfig, signal: AbortSignal): AsyncIterable<Delivery>;
  /** Ends every reader. Idempotent. */
  close(): Promise<void>;
}

export type BusFault =
  | 'invalid' // a subject, name or number that no adapter takes
  | 'too-large' // more than MAX_PAYLOAD_BYTES
  | 'no-stream' // no stream of that name, or none for that subject
  | 'conflict' // contradicts another stream or consumer
  | 'forbidden' // the credentials do not allow it
  | 'unavailable' // the server cannot be reached, or not yet
  | 'closed';

export class BusError extends Error {
  override readonly name = 'BusError';
  /** Whether trying again is pointless. */
  readonly terminal: boolean;

  constructor(
    readonly fault: BusFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.terminal = fault !== 'closed' && fault !== 'unavailable';
  }
}
