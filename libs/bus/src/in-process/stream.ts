/**
 * The messages of one stream, in order, in memory. What a consumer still needs is never dropped: of a `limits`
 * stream only messages that every known consumer has settled, the oldest first, once the stream holds more than its
 * retention cap. A consumer that becomes known later gets what is still there.
 */
import { type Message, type StreamConfig } from '../port.js';
import { payloadBytes } from '../rules.js';
import { type Clock } from '../clock.js';
import { type PlacedMessage } from '../reader.js';
import { subjectMatches } from '../subjects.js';
import { type Consumer } from './consumer.js';

export class Stream {
  readonly consumers = new Map<string, Consumer>();
  private readonly messages = new Map<number, Message>();
  /** Message ids of the duplicate window, oldest first, and when they leave it. */
  private readonly seen = new Map<string, number>();
  /** Whoever follows the stream without being a consumer hears of every message that comes. */
  readonly onAdd = new Set<() => void>();
  private bytes = 0;
  private first = 1;
  private last = 0;

  constructor(
    readonly config: StreamConfig,
    private readonly retainedBytes: number,
    private readonly clock: Clock,
  ) {}

  /** The oldest and newest sequence number that may be present; numbers in between may be gone. */
  get firstSequence(): number {
    return this.first;
  }

  get lastSequence(): number {
    return this.last;
  }

  at(sequence: number): Message | undefined {
    return this.messages.get(sequence);
  }

  /** Keeps a copy, as a bus with a wire would; false for a duplicate. */
  add(message: Message): boolean {
    const now = this.clock.now();
    for (const [id, leaves] of this.seen) {
      if (leaves > now) break;
      this.seen.delete(id);
    }
    if (this.seen.has(message.id)) return false;
    this.seen.set(message.id, now + this.config.duplicateWindowMs);
    const headers = Object.freeze({ ...message.headers });
    const kept = Object.freeze({ ...message, headers, data: message.data.slice() });
    this.messages.set(++this.last, kept);
    this.bytes += payloadBytes(kept);
    this.trim();
    for (const consumer of this.consumers.values()) consumer.dispatch();
    for (const tell of this.onAdd) tell();
    return true;
  }

  /** Messages behind `after` of these subjects, in order. */
  *behind(after: number, subjects: readonly string[]): Generator<PlacedMessage> {
    for (let sequence = Math.max(after + 1, this.first); sequence <= this.last; sequence++) {
      const message = this.messages.get(sequence);
      if (message !== undefined && subjects.some((filter) => subjectMatches(filter, message.subject)))
        yield { sequence, message };
    }
  }

  /** Takes a message out, whoever might still have needed it; false where it is not there. */
  remove(sequence: number): boolean {
    if (!this.messages.has(sequence)) return false;
    this.drop(sequence);
    return true;
  }

  /** A consumer needs this message no more. */
  settled(sequence: number): void {
    if (this.config.retention === 'work-queue') this.drop(sequence);
    else this.trim();
  }

  private trim(): void {
    if (this.config.retention === 'work-queue') return;
    while (this.bytes > this.retainedBytes && this.first <= this.last) {
      for (const consumer of this.consumers.values()) if (consumer.needs(this.first)) return;
      this.drop(this.first);
    }
  }

  private drop(sequence: number): void {
    const message = this.messages.get(sequence);
    if (message !== undefined) this.bytes -= payloadBytes(message);
    this.messages.delete(sequence);
    while (this.first <= this.last && !this.messages.has(this.first)) this.first++;
  }
}
