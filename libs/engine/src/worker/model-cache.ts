/** Opened models by key: the last one, and those before it as far as their weights fit into a number of bytes. */
import type { OpenedModel } from './opened-model.js';

/** Weights of both graphs, which share what folding left alone. */
function bytesOf({ published, prepared }: OpenedModel): number {
  const buffers = new Set(
    [published, prepared].flatMap(({ model }) =>
      [...model.graph.initializers.values()].map(({ data }) => data.buffer),
    ),
  );
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

export class ModelCache {
  readonly #kept = new Map<string, { readonly model: OpenedModel; readonly bytes: number }>();

  constructor(private readonly limit: number) {}

  get(key: string, open: () => OpenedModel): OpenedModel {
    let entry = this.#kept.get(key);
    if (entry === undefined) {
      const model = open();
      entry = { model, bytes: bytesOf(model) };
    }
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    let held = [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [oldest, { bytes }] of this.#kept) {
      if (held <= this.limit || this.#kept.size === 1) break;
      held -= bytes;
      this.#kept.delete(oldest);
    }
    return entry.model;
  }

  clear(): void {
    this.#kept.clear();
  }
}
