/**
 * The loop of every search that follows gradients: one pass for all samples that still stand, then each moves on by
 * itself. A sample whose score at a step says that it is fooled has its stored image judged, and leaves if that is
 * true, so later steps cost what is left. A search may also leave some behind.
 */
import type { Attack } from './attack.js';

/** Samples on their way through the pixels, a row for each; no row's way depends on the others. */
export interface Walk {
  /** One pass through the model for every row: the scores of where the rows stand, and what they need to move on. */
  look(step: number): Promise<Float64Array>;
  /** Where a row stands. */
  at(row: number): Float32Array;
  /** Goes on with those rows alone, in their order. */
  keep(rows: readonly number[]): void;
  /** Moves every row by what was seen there last. */
  move(step: number): void;
  /** Points inside the budget where a row ends, the most promising first. */
  ends(row: number): readonly Float32Array[];
  /** Nobody asks it for anything any more. */
  close(): void;
}

export interface Climb {
  readonly steps: number;
  /** The samples that still stand. */
  readonly walk: (indices: readonly number[]) => Walk;
  /** Rows stand at images that can be stored, and scores are theirs. */
  readonly hinted: boolean;
  /** Asked at every step: whether a sample with this score there is left behind, once its image has been judged. */
  readonly hopeless?: (score: number, index: number, step: number) => boolean;
}

export async function climb(attack: Attack, { steps, walk: walkOf, hinted, hopeless }: Climb): Promise<void> {
  let indices = attack.open;
  const walk = walkOf(indices);
  const judge = (rows: readonly number[], pointOf: (row: number) => Float32Array | undefined) =>
    attack.judge(
      rows.flatMap((row) => {
        const point = pointOf(row);
        const index = indices[row];
        return point === undefined ? [] : [{ index, image: attack.stored(index, point) }];
      }),
    );
  const rows = (): number[] => indices.map((_, row) => row);
  const leave = (): void => {
    const open = new Set(attack.open);
    const standing = rows().filter((row) => open.has(indices[row]));
    if (standing.length === indices.length) return;
    walk.keep(standing);
    indices = standing.map((row) => indices[row]);
  };
  for (let step = 0; step < steps && indices.length > 0; step++) {
    const scores = await walk.look(step);
    const hints = hinted ? rows().filter((row) => attack.ends(scores[row], indices[row])) : [];
    const lost = hopeless ? rows().filter((row) => hopeless(scores[row], indices[row], step)) : [];
    if (hints.length + lost.length > 0) {
      await judge([...hints, ...lost], (row) => walk.at(row));
      attack.abandon(lost.map((row) => indices[row]));
    }
    leave();
    walk.move(step);
  }
  for (let k = 0; rows().some((row) => k < walk.ends(row).length); k++) {
    await judge(rows(), (row) => walk.ends(row).at(k));
    leave();
  }
  walk.close();
}
