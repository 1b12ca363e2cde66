/** Models: published once they are checked, shown with where they come from and how far they may be trusted. */
import { findModel, publishModelFrom, records } from '@facet/catalog';
import { type api, formatRef, keys, type ModelManifest, type Ref } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import type { Evaluations } from '../evaluations/evaluations.js';
import type { Publish } from '../facts.js';
import type { FormBody } from '../http/handlers.js';
import { notFound, Refusal } from '../http/problems.js';
import { type Incoming, receive } from '../incoming.js';
import { refsUnder } from '../refs.js';
import type { ModelChecker } from './check.js';

export interface ModelFilter {
  readonly name?: string;
  readonly stage?: api.Stage;
}

/** One model at a time in the checker; who waits for it holds a connection, so only so many may. */
const MAX_UPLOADS = 8;

export class Models {
  #uploads = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly evaluations: Evaluations,
    private readonly checker: ModelChecker,
    private readonly publish: Publish,
  ) {}

  async find(ref: Ref): Promise<api.Model | undefined> {
    const manifest = await findModel(this.store, ref);
    const file = await this.store.get(keys.model.file(ref));
    const written = await this.store.get(keys.model.manifest(ref));
    if (manifest?.sha256 === undefined || file === undefined || written === undefined) return undefined;
    return {
      ...ref,
      sha256: manifest.sha256,
      bytes: file.size,
      published: new Date(written.modified).toISOString(),
      stage: await this.stageOf(ref),
    };
  }

  async get(ref: Ref): Promise<api.ModelDetail> {
    const model = await this.find(ref);
    const manifest = await findModel(this.store, ref);
    if (model === undefined || manifest === undefined) throw notFound(`model ${formatRef(ref)}`);
    const versions: { version: string; published: number }[] = [];
    for await (const { version } of refsUnder(this.store, keys.model.root, { name: ref.name })) {
      const written = await this.store.get(keys.model.manifest({ name: ref.name, version }));
      if (written !== undefined) versions.push({ version, published: written.modified });
    }
    versions.sort((a, b) => a.published - b.published || (a.version < b.version ? -1 : 1));
    const evaluations: api.Evaluation[] = [];
    for await (const found of this.evaluations.list(undefined, { model: ref }))
      evaluations.push({ ...found, plan: found.plan.name, policy: found.policy?.name ?? null });
    return {
      ...model,
      manifest,
      lineage: (await records.lineage.find(this.store, ref)) ?? null,
      versions: versions.map(({ version }) => version),
      evaluations,
    };
  }

  async *list(after: Ref | undefined, { name, stage }: ModelFilter): AsyncGenerator<api.Model> {
    const options = { ...(after && { after }), ...(name !== undefined && { name }) };
    for await (const ref of refsUnder(this.store, keys.model.root, options)) {
      const found = await this.find(ref);
      if (found !== undefined && (stage === undefined || found.stage === stage)) yield found;
    }
  }

  /** By the policies of its evaluations; one without a policy demands nothing and says nothing. */
  async stageOf(ref: Ref): Promise<api.Stage> {
    let stage: api.Stage = 'candidate';
    for await (const { summary } of this.evaluations.list(undefined, { model: ref, state: 'completed' })) {
      if (summary === null || summary.verdict.policy === null) continue;
      if (!summary.verdict.passed) return 'rejected';
      stage = 'approved';
    }
    return stage;
  }

  async file(ref: Ref) {
    const manifest = await findModel(this.store, ref);
    const file = await this.store.get(keys.model.file(ref));
    if (manifest === undefined || file === undefined) throw notFound(`model ${formatRef(ref)}`);
    return file;
  }

  /** Streams, checks, publishes. `written`: false where the same model was there already. */
  async upload(
    form: FormBody<{ manifest: typeof ModelManifest; model: 'file' }>,
    by: string,
    signal: AbortSignal,
  ): Promise<{ model: api.Model; written: boolean }> {
    if (this.#uploads >= MAX_UPLOADS)
      throw new Refusal('unavailable', 'too many models are being uploaded just now', { retryAfterS: 30 });
    this.#uploads++;
    let incoming: Incoming | undefined;
    try {
      const { documents } = await form(async (chunks) => {
        incoming = await receive(this.store, chunks, signal);
      });
      return await this.#accept(incoming!, documents.manifest, by, signal);
    } finally {
      this.#uploads--;
      if (incoming !== undefined) await this.store.delete(incoming.key);
    }
  }

  async #accept(
    { key, sha256, bytes }: Incoming,
    manifest: ModelManifest,
    by: string,
    signal: AbortSignal,
  ): Promise<{ model: api.Model; written: boolean }> {
    if (bytes === 0) throw refuse('model', 'is empty');
    if (manifest.sha256 !== undefined && manifest.sha256 !== sha256)
      throw refuse('manifest/sha256', `is not the digest of the model, which is ${sha256}`);
    const object = (await this.store.get(key))!;
    await this.checker.check(object, sha256, manifest, signal);
    const ref = { name: manifest.name, version: manifest.version };
    const { written } = await this.#publish({ sha256, open: () => object.stream() }, manifest, signal);
    const lineage: api.Lineage = { kind: 'upload', by };
    if (written || (await records.lineage.find(this.store, ref)) === undefined)
      await records.lineage.save(this.store, lineage, ref);
    // Also where it was there already: the process may have died in between.
    await this.publish({
      type: 'model.published',
      subject: formatRef(ref),
      data: { model: ref, digest: sha256 },
    });
    return { model: (await this.find(ref))!, written };
  }

  async #publish(
    ...[source, manifest, signal]: Parameters<typeof publishModelFrom> extends [unknown, ...infer R]
      ? R
      : never
  ) {
    try {
      return await publishModelFrom(this.store, source, manifest, signal);
    } catch (error) {
      if (error instanceof InputError && error.field === 'version') {
        const errors = [{ in: 'body', pointer: '#/manifest/version', detail: error.problem }] as const;
        throw new Refusal('conflict', error.problem, { errors, cause: error });
      }
      throw error;
    }
  }
}

const refuse = (place: string, detail: string): Refusal =>
  new Refusal('unprocessable', `${place}: ${detail}`, {
    errors: [{ in: 'body', pointer: `#/${place}`, detail }],
  });
