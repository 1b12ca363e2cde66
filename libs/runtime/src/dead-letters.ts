/** The dead letters of a bus: looked at, sent again, dropped. Each is known by its place in the stream. */
import { randomUUID } from 'node:crypto';
import { type Bus, type StreamReader } from '@facet/bus';
import { type DeadLetter } from '@facet/contracts';
import { decodeDeadLetter, originalOf } from './dead-letter.js';
import { TerminalError } from './errors.js';

const STREAM = 'FACET_DLQ';

export interface PlacedLetter {
  readonly sequence: number;
  readonly letter: DeadLetter;
}

export class DeadLetters {
  constructor(private readonly bus: Bus & StreamReader) {}

  /** The oldest first, at most `limit` of those behind `after`. */
  async list(after: number, limit: number): Promise<PlacedLetter[]> {
    const placed = await this.bus.read(STREAM, { after, limit });
    return placed.map(({ sequence, message }) => ({ sequence, letter: decodeDeadLetter(message) }));
  }

  async get(sequence: number): Promise<PlacedLetter | undefined> {
    const [found] = sequence > 0 ? await this.list(sequence - 1, 1) : [];
    return found?.sequence === sequence ? found : undefined;
  }

  /**
   * Sends the original again and drops the letter, in this order: nothing is lost, and a handler bears a message twice.
   * False where there is no such letter.
   * @throws {TerminalError} where the original was too large to be kept
   */
  async replay(sequence: number): Promise<boolean> {
    const found = await this.get(sequence);
    if (found === undefined) return false;
    const original = originalOf(found.letter, randomUUID());
    if (original === undefined)
      throw new TerminalError(
        `the original of dead letter ${sequence} had ${found.letter.original.bytes} bytes and was not kept`,
      );
    await this.bus.publish(original);
    await this.drop(sequence);
    return true;
  }

  /** False where there is no such letter. */
  drop(sequence: number): Promise<boolean> {
    return this.bus.remove(STREAM, sequence);
  }
}
