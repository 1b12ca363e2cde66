/** The process in which one model after the other is checked. */
import { open } from 'node:fs/promises';
import type { ModelManifest } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { serveTasks } from '@facet/threads';

export interface CheckTask {
  readonly file: string;
  readonly digest: string;
  readonly manifest: ModelManifest;
}

/** A file in memory that the engine's threads share. */
async function readShared(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    for (let at = 0; at < size;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, 2 ** 28));
      if (bytesRead === 0) throw new Error('the file was cut short while it was read');
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

serveTasks({
  check: async ({ file, digest, manifest }: CheckTask) => {
    const engine = new Engine({ threads: 1 });
    try {
      return await engine.check({ digest, bytes: await readShared(file), manifest });
    } finally {
      await engine.close();
    }
  },
});
