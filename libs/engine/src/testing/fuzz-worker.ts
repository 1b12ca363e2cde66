/** The process of the fuzzing test: it makes mutants of a model, and opens each as the engine opens what it is given. */
import { writeFileSync } from 'node:fs';
import type { ModelManifest } from '@facet/contracts';
import { ModelError } from '@facet/onnx';
import { Random } from '@facet/random';
import { serveTasks, type TaskContext } from '@facet/threads';
import { vet } from '../worker/check.js';
import { inspect } from '../worker/inspect.js';
import { mutate } from './mutation.js';

export interface FuzzTask {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly manifest: ModelManifest;
  readonly seed: number;
  /** Numbers of the mutants, `to` not among them. */
  readonly from: number;
  readonly to: number;
}

export interface FuzzResult {
  /** Mutants by kind: how many were opened and how many refused, by fault. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Mutants that ended otherwise than by opening or a ModelError with a place. */
  readonly wrong: readonly string[];
}

/** One in so many is also inspected, which takes longer. */
const INSPECTED = 25;

async function outcomeOf(task: FuzzTask, number: number, bytes: Uint8Array): Promise<string> {
  try {
    const digest = `${task.subject} ${number}`;
    if (number % INSPECTED === 0) await inspect({ bytes });
    else await vet({ digest, bytes, manifest: task.manifest });
    return 'opened';
  } catch (error) {
    if (error instanceof ModelError && error.where !== undefined && error.where !== '') return error.fault;
    return `wrong: ${String((error as Error).stack)}`;
  }
}

async function fuzz(task: FuzzTask, { progress }: TaskContext): Promise<FuzzResult> {
  writeFileSync('canary.bin', new Float32Array(2 ** 16).fill(123.25));
  const outcomes: Record<string, Record<string, number>> = {};
  const wrong: string[] = [];
  for (let number = task.from; number < task.to; number++) {
    progress(number);
    const { kind, bytes } = mutate(task.bytes, new Random(task.seed, task.subject, number));
    const outcome = await outcomeOf(task, number, bytes);
    if (outcome.startsWith('wrong')) wrong.push(`${task.subject} ${number} (${kind}) ${outcome}`);
    // A tensor with external data is refused whatever else is wrong, unless it is not there any more.
    else if (kind === 'external' && outcome === 'opened')
      wrong.push(`${task.subject} ${number} kept a foreign file`);
    outcomes[kind] ??= {};
    const key = outcome.startsWith('wrong') ? 'wrong' : outcome;
    outcomes[kind][key] = (outcomes[kind][key] ?? 0) + 1;
  }
  return { outcomes, wrong };
}

serveTasks({ fuzz });
