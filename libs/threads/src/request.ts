/** A task that was asked for: what to run, and how to tell its caller. Both ends may be called more than once. */
import type { Transferable } from 'node:worker_threads';

export interface Request {
  readonly task: string;
  readonly input: unknown;
  readonly transfer: readonly Transferable[];
  readonly worker: number | undefined;
  /** Whether the caller hears of progress. */
  readonly watched: boolean;
  progress(value: unknown): void;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}
