/**
 * Looking into a stream without taking part in it: nothing is acknowledged, nobody else gets a message less. For
 * dead letters, for live progress, and for whoever wants to know what has happened. A message's place is its sequence
 * number; numbers rise and may have gaps. JetStream keeps all of this by itself.
 */
import { type Message } from './port.js';

export interface PlacedMessage {
  readonly sequence: number;
  readonly message: Message;
}

export interface StreamPosition {
  /** Tells this stream from one of the same name that was made anew, whose numbers begin again. */
  readonly epoch: string;
  /** Of the oldest message that is still there; one more than `last` where there is none. */
  readonly first: number;
  /** Of the newest message that there ever was; 0 where there was none. */
  readonly last: number;
}

export interface ReadOptions {
  /** Only messages behind this sequence number: 0 means from the oldest on. */
  readonly after: number;
  /** Which subjects, as filters with wildcards; all of the stream's unless given. */
  readonly subjects?: readonly string[];
}

/** Every method throws a {@link BusError} of fault `no-stream` where there is no such stream. */
export interface StreamReader {
  position(stream: string): Promise<StreamPosition>;
  /** What is there now, in order, at most `limit` of them. */
  read(stream: string, options: ReadOptions & { readonly limit: number }): Promise<PlacedMessage[]>;
  /** What is there, then what comes, in order and each once, until the signal aborts or the bus is closed. */
  follow(stream: string, options: ReadOptions, signal: AbortSignal): AsyncIterable<PlacedMessage>;
  /** Takes one message out of the stream; false where it is not there. */
  remove(stream: string, sequence: number): Promise<boolean>;
}
