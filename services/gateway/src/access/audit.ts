/** Who did what: an object for every request that could have changed something, allowed or refused. */
import { api, keys } from '@facet/contracts';
import { type ObjectStore, readJson, writeJson } from '@facet/store';

export class Audit {
  constructor(private readonly store: ObjectStore) {}

  async write(entry: Omit<api.AuditEntry, 'schema'>): Promise<void> {
    await writeJson(this.store, keys.audit.one(entry.time, entry.request), {
      schema: 'facet.audit/v1',
      ...entry,
    } satisfies api.AuditEntry);
  }

  /** The oldest first, behind the key `after`. */
  async list(after: string | undefined, limit: number): Promise<{ key: string; entry: api.AuditEntry }[]> {
    const found: { key: string; entry: api.AuditEntry }[] = [];
    for await (const { key } of this.store.list(keys.audit.all, after === undefined ? {} : { after })) {
      const entry = await readJson(this.store, key, (value) => api.AuditEntry.parse(value));
      if (entry !== undefined) found.push({ key, entry });
      if (found.length === limit) break;
    }
    return found;
  }
}
