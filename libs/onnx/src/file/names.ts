/** Names for what a rewrite adds to a graph. */
import type { Graph } from '../graph.js';

export class Names {
  readonly #taken: Set<string>;

  constructor({ inputs, initializers, nodes }: Graph) {
    this.#taken = new Set([
      ...inputs.map(({ name }) => name),
      ...initializers.keys(),
      ...nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
    ]);
  }

  /** A name that nothing in the graph has, nor anything that was named here before. */
  fresh(hint: string): string {
    let name = hint;
    for (let i = 1; this.#taken.has(name); i++) name = `${hint}_${i}`;
    this.#taken.add(name);
    return name;
  }
}
