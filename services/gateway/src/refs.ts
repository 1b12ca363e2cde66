/** Names and versions under a prefix of the store, in order, from any place on: models and datasets lie like that. */
import type { Ref } from '@facet/contracts';
import type { ObjectStore } from '@facet/store';

/** @param name only this one */
export async function* refsUnder(
  store: ObjectStore,
  prefix: string,
  { after, name }: { readonly after?: Ref; readonly name?: string } = {},
): AsyncGenerator<Ref> {
  const versions = async function* (of: string, behind?: string): AsyncGenerator<Ref> {
    const options = behind === undefined ? {} : { after: behind };
    for await (const version of store.folders(`${prefix}${of}/`, options)) yield { name: of, version };
  };
  if (name !== undefined) {
    yield* versions(name, after?.version);
    return;
  }
  if (after !== undefined) yield* versions(after.name, after.version);
  const options = after === undefined ? {} : { after: after.name };
  for await (const next of store.folders(prefix, options)) yield* versions(next);
}

/** Of the form that {@link refCursor} gives. */
export const REF_CURSOR = /^[a-z0-9-]+@[a-z0-9._-]+$/;
export const refCursor = ({ name, version }: Ref): string => `${name}@${version}`;

export function refOf(cursor: string | undefined): Ref | undefined {
  if (cursor === undefined) return undefined;
  const [name, version] = cursor.split('@');
  return { name, version };
}

export const sameRef = (a: Ref, b: Ref): boolean => a.name === b.name && a.version === b.version;
