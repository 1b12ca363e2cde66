/** Brings models and datasets to a gateway. What is there already is not sent twice. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { api, formatRef, ModelManifest, type Ref } from '@facet/contracts';
import { readFolder } from '@facet/datasets';
import { InputError, TerminalError } from '@facet/runtime';
import { pack } from 'tar-stream';
import { readDocument, readModelFile } from '../inputs.js';
import type { Client } from './client.js';

const POLL_MS = 1000;

export async function publishModelTo(
  client: Client,
  files: { readonly model: string; readonly manifest: string },
): Promise<api.Model> {
  const manifest = await readDocument(files.manifest, ModelManifest);
  const form = new FormData();
  form.set('manifest', JSON.stringify(manifest));
  form.set('model', new Blob([new Uint8Array(await readModelFile(files.model))]));
  const response = await client.call('/v1/models', { method: 'POST', body: form });
  return api.Model.parse(await response.json());
}

/** Uploads a folder with `dataset.json`, and waits until it is stored. */
export async function uploadDatasetTo(client: Client, folder: string): Promise<Ref> {
  const { manifest } = await readFolder(folder);
  const ref = { name: manifest.name, version: manifest.version };
  const tar = pack();
  const filling = (async () => {
    for (const name of ['dataset.json', ...new Set(manifest.samples.map(({ file }) => file))]) {
      const path = join(folder, name);
      const { size } = await stat(path);
      await pipeline(createReadStream(path), tar.entry({ name, size }));
    }
    tar.finalize();
  })();
  filling.catch((error: unknown) => tar.destroy(error as Error));
  await client.call(`/v1/datasets/${ref.name}/${ref.version}/archive`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar' },
    body: tar as unknown as RequestInit['body'],
    duplex: 'half',
  });
  await stored(client, ref);
  return ref;
}

async function stored(client: Client, ref: Ref): Promise<void> {
  for (;;) {
    const { state, reason } = await client.get(
      `/v1/datasets/${ref.name}/${ref.version}`,
      api.DatasetResource,
    );
    if (state === 'ready') return;
    if (state === 'failed') throw new TerminalError(`dataset ${formatRef(ref)}: ${reason ?? 'failed'}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** `name@version`. Errors: InputError where it is anything else. */
export function refOf(text: string): Ref {
  const [name, version, ...more] = text.split('@');
  if (version === undefined || more.length > 0) throw new InputError(`${text} is not NAME@VERSION`);
  return { name, version };
}
