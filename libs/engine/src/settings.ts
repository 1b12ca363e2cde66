/** What workers are told when they start, by whoever starts them. */
import { availableParallelism, totalmem } from 'node:os';

/** What runs a session's operators; what a provider cannot run, the CPU does. */
export type Provider = 'cpu' | 'cuda' | 'webgpu';

export interface WorkerSettings {
  readonly provider: Provider;
  /** Of sessions and models that are kept in one worker. */
  readonly memoryBytes: number;
}

/** Where a process finds {@link WorkerSettings.memoryBytes}. */
export const MEMORY_VARIABLE = 'FACET_WORKER_MEMORY_BYTES';

/** Memory of the machine, or of the container where that is less. */
export function machineMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** The rest is for images, results and everybody else. */
const SHARE = 0.7;
const MIB = 2 ** 20;

function number(name: string, least: number, environment: NodeJS.ProcessEnv): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${name} is "${text}"; it must be a whole number from ${least} on`);
  return value;
}

/**
 * FACET_THREADS: worker threads, one per core unless set. FACET_MEMORY_MIB: what all of them may hold together, seven
 * tenths of the machine or container unless set.
 *
 * @throws RangeError naming the variable
 */
export const settingsOf = (
  environment: NodeJS.ProcessEnv = process.env,
): { readonly threads: number; readonly memoryBytes: number } => ({
  threads: number('FACET_THREADS', 1, environment) ?? availableParallelism(),
  memoryBytes:
    (number('FACET_MEMORY_MIB', 64, environment) ?? Math.floor((SHARE * machineMemoryBytes()) / MIB)) * MIB,
});
