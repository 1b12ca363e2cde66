/**
 * What this worker computes with, and how much memory it may hold: its share of what the engine was given. A thread is
 * told by its pool; the process that opens models first computes on the CPU, and its environment says the rest.
 */
import { workerData } from 'node:worker_threads';
import { ModelError } from '@facet/onnx';
import { MEMORY_VARIABLE, type Provider, type WorkerSettings } from '../settings.js';

const settings = workerData as Partial<WorkerSettings> | null;

export const PROVIDER: Provider = settings?.provider ?? 'cpu';
export const MEMORY_BYTES = settings?.memoryBytes ?? Number(process.env[MEMORY_VARIABLE] ?? Infinity);

const MIB = 2 ** 20;
const mib = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;

/** What to do about it. Parts of a batch are worked off one after the other, in the order of the workers. */
export const LESS_MEMORY =
  'take a smaller batch, in training more parts of it, fewer workers (FACET_THREADS) or more memory (FACET_MEMORY_MIB)';

/** @throws ModelError 'limit' where a run of `batch` samples needs more than this worker may hold */
export function requireRoom(bytes: number, batch: number, limit: number): void {
  if (bytes <= limit) return;
  throw new ModelError(
    'limit',
    `a run of ${batch} samples needs about ${mib(bytes)}, and a worker may hold ${mib(limit)}; ${LESS_MEMORY}`,
    'memory',
  );
}
