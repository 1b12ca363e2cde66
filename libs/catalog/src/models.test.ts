import { keys, ModelManifest } from '@facet/contracts';
import { InputError } from '@facet/runtime';
import { StoreError } from '@facet/store';
import { describe, expect, it } from 'vitest';
import { sha256 } from './digest.js';
import { loadModel, publishModel } from './models.js';
import { contents, openStore } from './store.fixture.js';

const BYTES = new TextEncoder().encode('a network');
const OTHER = new TextEncoder().encode('another network');
const REF = { name: 'net', version: '1.0' };
const MANIFEST = ModelManifest.parse({
  schema: 'facet.model/v1',
  ...REF,
  input: { name: 'x', height: 80, width: 80, colour: 'rgb', white: 1 },
  output: { kind: 'logits', name: 'y', classes: 2, live: [0] },
  facets: { depth: { feature: 'f' } },
});

describe('publishModel', () => {
  it('stores what loadModel gives back, with its digest', async () => {
    const store = await openStore();
    const published = await publishModel(store, BYTES, MANIFEST);
    expect(published).toEqual({
      ref: REF,
      bytes: BYTES,
      manifest: { ...MANIFEST, sha256: sha256(BYTES) },
      digest: sha256(BYTES),
    });
    const loaded = await loadModel(store, REF);
    expect({ ...loaded, bytes: Uint8Array.from(loaded.bytes) }).toEqual(published);
  });

  it('changes nothing when the same is published again', async () => {
    const store = await openStore();
    const first = await publishModel(store, BYTES, MANIFEST);
    const before = await contents(store);
    expect(await publishModel(store, BYTES, { ...MANIFEST, sha256: first.digest })).toEqual(first);
    expect(await contents(store)).toEqual(before);
  });

  it('refuses other bytes and another manifest under the same version', async () => {
    const store = await openStore();
    await publishModel(store, BYTES, MANIFEST);
    const before = await contents(store);
    await expect(publishModel(store, OTHER, MANIFEST)).rejects.toThrow(
      'version: net@1.0 is published already with other bytes; a version never changes, choose a new one',
    );
    const swapped = { ...MANIFEST, input: { ...MANIFEST.input, colour: 'bgr' as const } };
    await expect(publishModel(store, BYTES, swapped)).rejects.toThrow(/already with another manifest/);
    expect(await contents(store)).toEqual(before);
    await publishModel(store, OTHER, { ...MANIFEST, version: '1.1' });
    expect((await loadModel(store, REF)).digest).toBe(sha256(BYTES));
  });

  it('leaves one whole model of many that race for a version', async () => {
    const store = await openStore();
    const models = Array.from({ length: 6 }, (_, i) => new TextEncoder().encode(`network ${i}`));
    const done = await Promise.allSettled(models.map((bytes) => publishModel(store, bytes, MANIFEST)));
    const won = done.filter((one) => one.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const one of done) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(InputError);
    expect((await loadModel(store, REF)).digest).toBe(won[0].value.digest);
  });

  it('refuses bytes that are not those of the manifest, and stores nothing', async () => {
    const store = await openStore();
    await expect(publishModel(store, BYTES, { ...MANIFEST, sha256: sha256(OTHER) })).rejects.toThrow(
      `sha256: says ${sha256(OTHER)}, the model's bytes have ${sha256(BYTES)}`,
    );
    expect(await contents(store)).toEqual({});
  });

  it('goes on where it was killed between file and manifest', async () => {
    const store = await openStore();
    await store.put(keys.model.file(REF), BYTES);
    await expect(loadModel(store, REF)).rejects.toThrow('model: there is no model net@1.0');
    await publishModel(store, BYTES, MANIFEST);
    expect((await loadModel(store, REF)).digest).toBe(sha256(BYTES));
  });
});

describe('loadModel', () => {
  it('says that there is none', async () => {
    await expect(loadModel(await openStore(), REF)).rejects.toThrow(
      new InputError('there is no model net@1.0', { field: 'model' }),
    );
  });

  it('refuses bytes that were changed in the store', async () => {
    const store = await openStore();
    await publishModel(store, BYTES, MANIFEST);
    await store.put(keys.model.file(REF), OTHER);
    await expect(loadModel(store, REF)).rejects.toThrow(
      'models/net/1.0/model.onnx: the stored bytes are not the ones that were published',
    );
  });

  it('refuses a manifest that was changed to say nothing, or anything else', async () => {
    const store = await openStore();
    await publishModel(store, BYTES, MANIFEST);
    const put = (text: string) => store.put(keys.model.manifest(REF), new TextEncoder().encode(text));
    await put(JSON.stringify(MANIFEST));
    await expect(loadModel(store, REF)).rejects.toThrow(InputError);
    await put('{}');
    await expect(loadModel(store, REF)).rejects.toThrow(StoreError);
  });
});
