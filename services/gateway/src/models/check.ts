/**
 * Has a model checked in a process of its own before it is accepted: parsing hostile bytes may crash, hang or swell there
 * without harm, and this process never holds the model. It travels as a file.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ModelManifest } from '@facet/contracts';
import type { ModelFacts } from '@facet/engine';
import type { StoredObject } from '@facet/store';
import { ProcessPool } from '@facet/threads';
import { refuseModel } from '../http/problems.js';
import type { CheckTask } from './check-worker.js';

/** A model of 2 GiB, and what reading it takes. */
const MOST_MEMORY_BYTES = 8 * 2 ** 30;
/** Of what the container has: beyond that its kernel would end all of it, and not the check alone. */
const MEMORY_SHARE = 0.75;

function memoryBytes(): number {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or larger than the machine.
  const there = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.min(MOST_MEMORY_BYTES, Math.floor(there * MEMORY_SHARE));
}
const SILENCE_MS = 5 * 60_000;

export class ModelChecker {
  readonly #pool = new ProcessPool({
    name: 'model check',
    url: new URL('../../dist/models/check-worker.js', import.meta.url),
    // One at a time: two large ones would need twice the memory.
    size: 1,
    memoryBytes: memoryBytes(),
    silenceMs: SILENCE_MS,
  });

  /** Errors: Refusal that names the node, tensor or field of a model that cannot be evaluated. */
  async check(
    object: StoredObject,
    digest: string,
    manifest: ModelManifest,
    signal: AbortSignal,
  ): Promise<ModelFacts> {
    const file = join(tmpdir(), `facet-check-${randomUUID()}.onnx`);
    try {
      await pipeline(Readable.from(object.stream()), createWriteStream(file, { flags: 'wx', mode: 0o600 }), {
        signal,
      });
      const task: CheckTask = { file, digest, manifest };
      return await this.#pool.run<ModelFacts>('check', task, { signal });
    } catch (error) {
      throw refuseModel(error);
    } finally {
      await rm(file, { force: true });
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
