/** Adversarial images of a shard, by links: faces are never sent to who only guesses an address. */
import { type api, keys } from '@facet/contracts';
import { readShard } from '@facet/datasets';
import type { ObjectLinks, ObjectStore, StoredObject } from '@facet/store';
import type { SignedLinks } from '../access/links.js';
import { notFound } from '../http/problems.js';

const EXPIRES_MS = 15 * 60_000;

export interface ImageDependencies {
  readonly store: ObjectStore;
  /** For whole objects: of the store itself, or ours. */
  readonly links: ObjectLinks;
  readonly signed: SignedLinks;
  readonly now: () => number;
}

export async function listImages(
  { store, links, signed, now }: ImageDependencies,
  id: string,
  cell: string,
  shard: number,
) {
  const key = keys.evaluation.images(id, cell, shard);
  const object = await store.get(key);
  if (object === undefined) throw notFound(`shard ${shard} of ${cell} in evaluation ${id}`);
  const images: { sample: string; link: string }[] = [];
  for await (const { key: sample } of readShard(await object.bytes(), { name: key }))
    images.push({ sample, link: signed.image(key, sample, EXPIRES_MS) });
  const archive = await links.link(key, {
    expiresInMs: EXPIRES_MS,
    fileName: `${cell}-${shard}.tar`,
    contentType: 'application/x-tar',
  });
  const expires = new Date(now() + EXPIRES_MS).toISOString();
  return { cell, shard, expires, archive, images } satisfies (typeof api.EvaluationImages)['_input'];
}

/** What a link opens. */
export async function openLink({ store, signed }: ImageDependencies, link: string) {
  const claims = signed.open(link);
  const object = await store.get(claims.key);
  if (object === undefined) throw notFound('such object any more');
  if (claims.kind === 'object')
    return { type: claims.type, bytes: object.size, stream: object.stream(), fileName: claims.name };
  const png = await imageIn(object, claims.sample);
  return { type: 'image/png', bytes: png.byteLength, stream: [png] };
}

async function imageIn(object: StoredObject, sample: string): Promise<Uint8Array> {
  for await (const { key, png } of readShard(await object.bytes(), { name: object.key }))
    if (key === sample) return png;
  throw notFound('such image any more');
}
