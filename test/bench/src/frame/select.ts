/** Which parts and cases the words of a command line ask for. */
import type { Part } from './part.js';

export interface Selected {
  readonly part: Part;
  readonly cases: readonly string[];
}

/** The command line asks for what is not there. */
export class UnknownName extends Error {
  override readonly name = 'UnknownName';
}

/**
 * @param words a part's name and beginnings of its cases' names; no word means every part, no further word every case
 * @throws UnknownName says which names there are
 */
export function select(parts: readonly Part[], [name, ...beginnings]: readonly string[]): Selected[] {
  if (name === undefined) return parts.map((part) => ({ part, cases: part.cases }));
  const part = parts.find((one) => one.name === name);
  if (part === undefined)
    throw new UnknownName(`there is no part "${name}", only ${parts.map((one) => one.name).join(', ')}`);
  const unknown = beginnings.find((start) => !part.cases.some((one) => one.startsWith(start)));
  if (unknown !== undefined)
    throw new UnknownName(
      `no case of "${name}" begins with "${unknown}"; there are ${part.cases.join(', ')}`,
    );
  const asked = (one: string): boolean => beginnings.some((start) => one.startsWith(start));
  return [{ part, cases: beginnings.length === 0 ? part.cases : part.cases.filter(asked) }];
}
