/**
 * The shape of a part of the bench: what it measures, over which cases. A part finds; arguments, turns, peers, the table
 * and the file belong to the frame. A new part is a file in `parts/` and a line in `parts.ts`.
 */
import type { Peers } from '../peers/peers.js';
import type { Finding } from './findings.js';

export interface Tools {
  readonly peers: Peers;
  /** Tells the person who waits what is being done. */
  log(line: string): void;
}

export interface Part {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** What may be asked for by itself, in the order in which it runs. */
  readonly cases: readonly string[];
  /**
   * Measures one case. What it throws ends this case: a NoPeer as skipped, anything else as failed. Whatever it opened is
   * closed when it ends.
   */
  run(name: string, tools: Tools): AsyncIterable<Finding>;
}
