/**
 * A durable consumer in memory: how far it has read, what is out and until when, and who waits for a message.
 * Redeliveries go before new messages, readers are served in the order in which they asked.
 */
import { type Clock } from '../clock.js';
import { type ConsumerConfig, type Delivery } from '../port.js';
import { subjectMatches } from '../subjects.js';
import { type Stream } from './stream.js';

/** A message that was given out and is not settled. */
interface Pending {
  attempt: number;
  /** Stops the ack wait, or the delay of a nak. */
  stopTimer: () => void;
}

export type Waiter = (delivery: Delivery) => void;

export class Consumer {
  private cursor: number;
  private readonly pending = new Map<number, Pending>();
  private readonly again: number[] = [];
  private readonly waiters = new Set<Waiter>();

  constructor(
    public config: ConsumerConfig,
    private readonly stream: Stream,
    private readonly clock: Clock,
    /** Called when a message has been settled. */
    private readonly onSettled: () => void,
  ) {
    this.cursor = stream.firstSequence;
  }

  /** Whether every message has been delivered and settled. */
  get isEmpty(): boolean {
    this.skip();
    return this.pending.size === 0 && this.cursor > this.stream.lastSequence;
  }

  needs(sequence: number): boolean {
    if (this.pending.has(sequence)) return true;
    this.skip();
    return sequence >= this.cursor;
  }

  /** The waiter gets the next message, once, unless the returned function is called before. */
  wait(waiter: Waiter): () => void {
    this.waiters.add(waiter);
    this.dispatch();
    return () => void this.waiters.delete(waiter);
  }

  /** Gives messages to waiters while there are both. */
  dispatch(): void {
    for (const waiter of this.waiters) {
      const sequence = this.take();
      if (sequence === undefined) return;
      this.waiters.delete(waiter);
      waiter(this.deliver(sequence));
    }
  }

  close(): void {
    for (const { stopTimer } of this.pending.values()) stopTimer();
    this.waiters.clear();
  }

  /** Moves the cursor to the next message that the filters mean. */
  private skip(): void {
    const { subjects } = this.config;
    this.cursor = Math.max(this.cursor, this.stream.firstSequence);
    for (; this.cursor <= this.stream.lastSequence; this.cursor++) {
      const message = this.stream.at(this.cursor);
      if (message !== undefined && subjects.some((filter) => subjectMatches(filter, message.subject))) return;
    }
  }

  private take(): number | undefined {
    const redelivered = this.again.shift();
    if (redelivered !== undefined) return redelivered;
    if (this.pending.size >= this.config.maxAckPending) return undefined;
    this.skip();
    return this.cursor <= this.stream.lastSequence ? this.cursor++ : undefined;
  }

  private deliver(sequence: number): Delivery {
    const attempt = (this.pending.get(sequence)?.attempt ?? 0) + 1;
    this.pending.set(sequence, { attempt, stopTimer: this.startAckWait(sequence) });
    let open = true;
    /** Runs the first call only, and only while its message is pending. */
    const once = (settle: (pending: Pending) => void) => async () => {
      const pending = this.pending.get(sequence);
      if (open && pending !== undefined) settle(pending);
      open = false;
    };
    const isCurrent = (pending: Pending) => pending.attempt === attempt && !this.again.includes(sequence);
    return {
      message: this.stream.at(sequence)!,
      attempt,
      ackWaitMs: this.config.ackWaitMs,
      ack: once(() => this.settle(sequence)),
      term: once(() => this.settle(sequence)),
      nak: (delayMs = 0) =>
        once((pending) => {
          if (!isCurrent(pending)) return;
          pending.stopTimer();
          if (delayMs <= 0) this.redeliver(sequence);
          else pending.stopTimer = this.clock.setTimer(delayMs, () => this.redeliver(sequence));
        })(),
      working: async () => {
        const pending = this.pending.get(sequence);
        if (!open || pending === undefined || !isCurrent(pending)) return;
        pending.stopTimer();
        pending.stopTimer = this.startAckWait(sequence);
      },
    };
  }

  private startAckWait(sequence: number): () => void {
    return this.clock.setTimer(this.config.ackWaitMs, () => this.redeliver(sequence));
  }

  private redeliver(sequence: number): void {
    if (this.pending.get(sequence)!.attempt >= this.config.maxDeliver) {
      this.settle(sequence);
      return;
    }
    this.again.push(sequence);
    this.dispatch();
  }

  private settle(sequence: number): void {
    this.pending.get(sequence)?.stopTimer();
    this.pending.delete(sequence);
    const waiting = this.again.indexOf(sequence);
    if (waiting >= 0) this.again.splice(waiting, 1);
    this.stream.settled(sequence);
    this.dispatch();
    this.onSettled();
  }
}
