/** The object store with its operations timed and its errors counted. */
import { type ObjectStore, type StoredObject } from '@facet/store';
import { telemetry } from './port.js';
import { record, timed } from './spans.js';

/** The same store where nothing is sent. */
export function observedStore(store: ObjectStore): ObjectStore {
  if (telemetry() === undefined) return store;
  return {
    put: (key, body, options) => measured('put', () => store.put(key, body, options)),
    delete: (key, options) => measured('delete', () => store.delete(key, options)),
    list: (prefix, options) => measuredAll('list', store.list(prefix, options)),
    folders: (prefix, options) => measuredAll('folders', store.folders(prefix, options)),
    async get(key, options) {
      const found = await measured('get', () => store.get(key, options));
      return found && observedObject(found);
    },
  };
}

const observedObject = (object: StoredObject): StoredObject => ({
  key: object.key,
  size: object.size,
  modified: object.modified,
  bytes: () => measured('read', () => object.bytes()),
  stream: () => measuredAll('read', object.stream()),
});

const measured = <T>(operation: string, work: () => Promise<T>): Promise<T> =>
  timed(
    (seconds, type) => record('facet.store.operation.duration', seconds, { operation, 'error.type': type }),
    work,
  );

/** Counts the time that its steps take, not what the reader does between them. */
async function* measuredAll<T>(operation: string, items: AsyncIterable<T>): AsyncGenerator<T> {
  let seconds = 0;
  let failure: string | undefined;
  const iterator = items[Symbol.asyncIterator]();
  const next = () =>
    timed(
      (more, type) => {
        seconds += more;
        failure = type;
      },
      () => iterator.next(),
    );
  try {
    for (let step = await next(); !step.done; step = await next()) yield step.value;
  } finally {
    record('facet.store.operation.duration', seconds, { operation, 'error.type': failure });
    await iterator.return?.();
  }
}
