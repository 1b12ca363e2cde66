/**
 * Which samples a walk leaves behind. What a search spends goes into those that it never fools, and most of them are far
 * from the boundary long before its end. A sample is left when the walk has crossed the ball, its score is still farther
 * from the boundary than a share of the clean image's, and the pace of its last steps would not bring it there.
 *
 * What is behind it: the maxima that PGD ends in are alike (Madry et al., ICLR 2018, section 5), and once every value may
 * have gone from one end of the ball to the other, a step gains less than the one before it. Neither is a proof: what share
 * loses how much stands in docs/guide/searches.md.
 */
import type { Attack } from './attack.js';

export interface Pacing {
  readonly steps: number;
  /** In the unit of epsilon. */
  readonly lengthAt: (step: number) => number;
}

/** The ball's, over epsilon, less the little that a schedule takes off the second of two steps of epsilon. */
const WIDTH = 1.9;
/** The share of a walk's steps whose gain is its pace. */
const WINDOW = 0.2;

/** The first step before which the others together are as long as the ball is wide. */
function crossing({ steps, lengthAt }: Pacing, epsilon: number): number {
  let way = 0;
  for (let step = 0; step < steps; step++) {
    if (way >= WIDTH * epsilon) return step;
    way += lengthAt(step);
  }
  return steps;
}

/**
 * To be asked once at each step of each sample: whether one that has this score is left behind there.
 *
 * @param share of the clean image's distance from the boundary, up to which a sample is always gone on with
 */
export function abandonment(
  attack: Attack,
  pacing: Pacing,
  share: number,
): (score: number, index: number, step: number) => boolean {
  const { steps } = pacing;
  const window = Math.max(1, Math.round(WINDOW * steps));
  const first = Math.max(crossing(pacing, attack.context.budget.threat.epsilon), window + 1);
  /** By sample and step, the least distance so far. */
  const nearest = new Map<number, number[]>();
  return (score, index, step) => {
    const seen = nearest.get(index) ?? [];
    nearest.set(index, seen);
    const now = Math.min(seen.at(-1) ?? Infinity, attack.distance(score, index));
    seen.push(now);
    if (step < first || now <= share * attack.distance(attack.context.cleanScores[index], index))
      return false;
    const pace = (seen[step - window] - now) / window;
    return now > pace * (steps - step);
  };
}
