/**
 * The smallest epsilon at which a search fools each sample, by bisection between the clean image and the threat
 * model's epsilon. Samples at the same epsilon are searched together; each has an interval of its own. What is stored
 * is the smallest change found, so its measured size is the minimal epsilon.
 */
import { budgetOf } from '../threat/budget.js';
import { changeOf } from '../threat/change.js';
import { LEVELS } from '../threat/quantise.js';
import { type Attack, attackOn } from './attack.js';
import type { Stage } from './search.js';

interface Lane {
  readonly index: number;
  /** Not enough, as far as anybody knows, and enough. */
  low: number;
  high: number;
  smallest: Uint8Array | undefined;
}

/** What to try next between two epsilons; undefined where no 8-bit image lies between them. */
function between(norm: 'linf' | 'l2', low: number, high: number): number | undefined {
  if (norm === 'l2') return (low + high) / 2;
  const [below, above] = [Math.round(low * LEVELS), Math.round(high * LEVELS)];
  return above - below <= 1 ? undefined : Math.floor((below + above) / 2) / LEVELS;
}

/** Searches one epsilon's lanes, and moves each lane's end. */
async function attempt(
  attack: Attack,
  search: Stage,
  epsilon: number,
  lanes: readonly Lane[],
): Promise<void> {
  const { context } = attack;
  const { norm } = context.budget.threat;
  const indices = lanes.map(({ index }) => index);
  const part = attackOn(attack, indices, { ...context, budget: budgetOf({ norm, epsilon }) });
  await search(part, 0);
  lanes.forEach((lane, i) => {
    if (!part.fooled(i)) {
      lane.low = epsilon;
      return;
    }
    const image = part.images.slice(i * attack.size, (i + 1) * attack.size);
    lane.smallest = image;
    lane.high = Math.min(epsilon, changeOf(image, attack.cleanBytes(lane.index))[norm]);
  });
}

export const minimalEpsilon =
  (search: Stage, rounds: number): Stage =>
  async (attack) => {
    const { norm, epsilon } = attack.context.budget.threat;
    let lanes = attack.open.map((index): Lane => ({ index, low: 0, high: epsilon, smallest: undefined }));
    await attempt(attack, search, epsilon, lanes);
    lanes = lanes.filter(({ smallest }) => smallest !== undefined);
    for (let round = 0; round < rounds; round++) {
      const groups = new Map<number, Lane[]>();
      for (const lane of lanes) {
        const next = between(norm, lane.low, lane.high);
        if (next !== undefined) groups.set(next, [...(groups.get(next) ?? []), lane]);
      }
      for (const [next, group] of groups) await attempt(attack, search, next, group);
    }
    await attack.judge(lanes.map(({ index, smallest }) => ({ index, image: smallest! })));
  };
