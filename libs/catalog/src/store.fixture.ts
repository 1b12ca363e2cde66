/** A store in a temporary folder that goes when the test ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore, type ObjectStore } from '@facet/store';
import { onTestFinished } from 'vitest';

export async function openStore(): Promise<FolderStore> {
  const root = await mkdtemp(join(tmpdir(), 'facet-catalog-'));
  onTestFinished(() => rm(root, { recursive: true }));
  return FolderStore.open(root);
}

/** Every object of the store, as text by key. */
export async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list(''))
    found[key] = Buffer.from(await (await store.get(key))!.bytes()).toString('latin1');
  return found;
}
