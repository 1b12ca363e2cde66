/** Datasets: registered or uploaded, then made by ingestion; deleted with all that derives from them. */
import { isAbsolute, normalize, sep } from 'node:path';
import { digestOf, findDataset, records } from '@facet/catalog';
import { type api, type DatasetSource, formatRef, keys, type Ref, SPLITS } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';
import type { Publish } from '../facts.js';
import type { FileBody } from '../http/handlers.js';
import { notFound, Refusal } from '../http/problems.js';
import { receive } from '../incoming.js';
import { refsUnder } from '../refs.js';

export class Datasets {
  constructor(
    private readonly store: ObjectStore,
    private readonly publish: Publish,
    /** Folders below which a registered folder may lie, as ingestion sees them. */
    private readonly roots: readonly string[],
  ) {}

  async find(ref: Ref): Promise<api.DatasetResource | undefined> {
    const manifest = await findDataset(this.store, ref);
    if (manifest !== undefined) {
      const counts = SPLITS.map((split) => [
        split,
        manifest.splits[split].reduce((sum, { samples }) => sum + samples, 0),
      ]);
      const { digest, description } = manifest;
      const samples = Object.fromEntries(counts) as Record<(typeof SPLITS)[number], number>;
      return { ...ref, state: 'ready', digest, description, samples, reason: null };
    }
    const unmade = { ...ref, digest: null, description: null, samples: null };
    const failure = await records.datasetFailure.find(this.store, ref);
    if (failure !== undefined) return { ...unmade, state: 'failed', reason: failure.reason };
    const registration = await records.registration.find(this.store, ref);
    return registration && { ...unmade, state: 'ingesting', reason: null };
  }

  async get(ref: Ref): Promise<api.DatasetResource> {
    const found = await this.find(ref);
    if (found === undefined) throw notFound(`dataset ${formatRef(ref)}`);
    return found;
  }

  async *list(after: Ref | undefined, name: string | undefined): AsyncGenerator<api.DatasetResource> {
    const options = { ...(after && { after }), ...(name !== undefined && { name }) };
    for await (const ref of refsUnder(this.store, keys.dataset.all, options)) {
      const found = await this.find(ref);
      if (found !== undefined) yield found;
    }
  }

  async register({ name, version, source }: api.DatasetOrder) {
    const ref = { name, version };
    if (source.kind === 'folder') this.#checkRoot(source.path);
    const known = await this.find(ref);
    const registered = await records.registration.find(this.store, ref);
    const same = registered !== undefined && digestOf(registered.source) === digestOf(source);
    if (known !== undefined && known.state !== 'failed') {
      if (!same) throw taken(ref);
      return { dataset: known, begun: false };
    }
    return { dataset: await this.#begin(ref, source), begun: true };
  }

  /** A tar of a folder with `dataset.json`; ingestion checks what is in it. */
  async upload(ref: Ref, body: FileBody, signal: AbortSignal) {
    const known = await this.find(ref);
    if (known !== undefined && known.state !== 'failed') return { dataset: known, begun: false };
    const { key, bytes } = await body((chunks) => receive(this.store, chunks, signal));
    try {
      if (bytes === 0) throw new Refusal('unprocessable', 'the archive is empty');
      return { dataset: await this.#begin(ref, { kind: 'archive', key }), begun: true };
    } catch (error) {
      await this.store.delete(key);
      throw error;
    }
  }

  async #begin(ref: Ref, source: DatasetSource): Promise<api.DatasetResource> {
    await records.datasetFailure.forget(this.store, ref);
    await this.publish({ type: 'ingestion', subject: formatRef(ref), data: { dataset: ref, source } });
    await records.registration.save(this.store, { schema: 'facet.registration/v1', source }, ref);
    return this.get(ref);
  }

  /** Otherwise whoever may publish could read every folder of the server. */
  #checkRoot(path: string): void {
    const inside = (root: string) => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
    if (isAbsolute(path) && normalize(path) === path && this.roots.some(inside)) return;
    const detail =
      this.roots.length === 0
        ? 'this server takes no folders; upload an archive'
        : `must be an absolute path below ${this.roots.join(' or ')}`;
    throw new Refusal('unprocessable', `source path: ${detail}`, {
      errors: [{ in: 'body', pointer: '#/source/path', detail }],
    });
  }
}

function taken(ref: Ref): Refusal {
  const detail = `${formatRef(ref)} is there already, made otherwise; a version never changes, choose a new one`;
  return new Refusal('conflict', detail, { errors: [{ in: 'body', pointer: '#/version', detail }] });
}
