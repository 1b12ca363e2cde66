/**
 * Has a model checked before it is accepted: in the engine's process for models from outside, where hostile bytes may crash,
 * hang or swell without harm. It travels as a file, so that this process never holds it.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ModelManifest } from '@facet/contracts';
import { Engine, type ModelFacts } from '@facet/engine';
import type { StoredObject } from '@facet/store';
import { refuseModel } from '../http/problems.js';

export class ModelChecker {
  // Opens one model at a time: two large ones would need twice the memory.
  readonly #engine = new Engine({ threads: 1 });

  /** Errors: Refusal that names the node, tensor or field of a model that cannot be evaluated. */
  async check(
    object: StoredObject,
    digest: string,
    manifest: ModelManifest,
    signal: AbortSignal,
  ): Promise<ModelFacts> {
    const path = join(tmpdir(), `facet-check-${randomUUID()}.onnx`);
    try {
      await pipeline(Readable.from(object.stream()), createWriteStream(path, { flags: 'wx', mode: 0o600 }), {
        signal,
      });
      return await this.#engine.checkFile({ path, digest, manifest }, signal);
    } catch (error) {
      throw refuseModel(error);
    } finally {
      await rm(path, { force: true });
    }
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
