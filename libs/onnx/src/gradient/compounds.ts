/**
 * Functions that exporters write out in several operators, and whose gradient is cheaper as that of the whole. The
 * graph stays as it is: the runtime joins such operators itself, as long as nothing else reads what is between them,
 * which the gradients of the single operators would.
 */
import { producers } from '../graph-tools/walk.js';
import type { Graph, Node } from '../graph.js';

class Matcher {
  readonly #made: ReadonlyMap<string, Node>;

  constructor(private readonly graph: Graph) {
    this.#made = producers(graph);
  }

  /** x of x (1 + erf(x / sqrt 2)) / 2, the exact Gelu, in any order of its three factors. */
  geluInput(last: Node): string | undefined {
    if (last.op !== 'Mul') return undefined;
    const factors = this.#factors(last);
    if (factors.length !== 3) return undefined;
    const half = factors.find((tensor) => this.#is(tensor, 0.5));
    const sum = factors.find((tensor) => this.#isSum(tensor));
    const x = factors.find((tensor) => tensor !== half && tensor !== sum);
    if (half === undefined || sum === undefined || x === undefined) return undefined;
    const terms = this.#made.get(sum)!.inputs;
    const erf = terms.map((tensor) => this.#made.get(tensor)).find((node) => node?.op === 'Erf');
    const inside = this.#made.get(erf?.inputs[0] ?? '');
    if (!terms.some((tensor) => this.#is(tensor, 1)) || !inside?.inputs.includes(x)) return undefined;
    const divides = inside.op === 'Div' && inside.inputs[0] === x && this.#is(inside.inputs[1], Math.SQRT2);
    const multiplies = inside.op === 'Mul' && inside.inputs.some((tensor) => this.#is(tensor, Math.SQRT1_2));
    return divides || multiplies ? x : undefined;
  }

  /** What is computed between x and a node. */
  inside(node: Node, x: string): readonly string[] {
    return node.inputs.flatMap((tensor) => {
      const inner = tensor === x ? undefined : this.#made.get(tensor);
      return inner === undefined ? [] : [tensor, ...this.inside(inner, x)];
    });
  }

  /** Of a product of products; those in between are products themselves. */
  #factors(node: Node): readonly string[] {
    return node.inputs.flatMap((tensor) => {
      const factor = this.#made.get(tensor);
      return factor?.op === 'Mul' && this.#isPartOfGelu(factor) ? factor.inputs : [tensor];
    });
  }

  /** x times 1/2, or x times the sum. */
  #isPartOfGelu(node: Node): boolean {
    return node.inputs.some((tensor) => this.#is(tensor, 0.5) || this.#isSum(tensor));
  }

  /** 1 + erf(..). */
  #isSum(tensor: string): boolean {
    const node = this.#made.get(tensor);
    return node?.op === 'Add' && node.inputs.some((input) => this.#made.get(input)?.op === 'Erf');
  }

  #is(tensor: string, value: number): boolean {
    const data = this.graph.initializers.get(tensor)?.data;
    return data?.length === 1 && Math.abs(Number(data[0]) - value) < 1e-6;
  }
}

/**
 * The one node that each last node of such a function stands for.
 *
 * @param wanted tensors whose gradients are asked for: none may lie inside
 */
export function compounds(graph: Graph, wanted: ReadonlySet<string>): ReadonlyMap<Node, Node> {
  const matcher = new Matcher(graph);
  return new Map(
    graph.nodes.flatMap((node) => {
      const x = matcher.geluInput(node);
      if (x === undefined || matcher.inside(node, x).some((tensor) => wanted.has(tensor))) return [];
      return [[node, { ...node, op: 'Gelu', inputs: [x], attributes: {} }] as const];
    }),
  );
}
