/**
 * Square Attack (Andriushchenko et al., ECCV 2020): random search with changes of squares, of which those are kept
 * that bring the decision's score nearer to the wrong side. It needs scores alone. Every query is an 8-bit image that
 * could be stored.
 */
import type { Norm } from '@facet/contracts';
import { Random } from '@facet/random';
import type { Attack } from './attack.js';
import type { Stage } from './search.js';
import { squareL2 } from './square-l2.js';
import { squareLinf } from './square-linf.js';

/** One sample's random search. */
export interface Proposer {
  /** The first image that is asked about. */
  first(): Uint8Array;
  /** The last accepted image with a square of `side` pixels changed. */
  propose(side: number): Uint8Array;
  /** Makes the last proposal, or the first image, the accepted one. */
  accept(): void;
}

/** Queries, of 10,000, after which the squares' area is halved. */
const HALVINGS = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
/** The share of the image that squares cover at first, as AutoAttack has it. */
const FIRST_SHARE = 0.8;

const shareAt = (first: number, query: number, queries: number): number =>
  first / 2 ** HALVINGS.filter((at) => query > (at * queries) / 10_000).length;

const PROPOSERS: Readonly<Record<Norm, (attack: Attack, index: number, random: Random) => Proposer>> = {
  linf: squareLinf,
  l2: squareL2,
};

export const square =
  (queries: number, firstShare = FIRST_SHARE): Stage =>
  async (attack, stage) => {
    const { seed, keys, budget, height, width } = attack.context;
    const searches = new Map(
      attack.open.map((index) => {
        const random = new Random(seed, keys[index], 'square', stage);
        return [index, { proposer: PROPOSERS[budget.threat.norm](attack, index, random), best: -Infinity }];
      }),
    );
    for (let query = 0; query < queries && attack.open.length > 0; query++) {
      const area = shareAt(firstShare, query, queries) * height * width;
      const side = Math.min(height, width, Math.max(1, Math.round(Math.sqrt(area))));
      const asked = attack.open.map((index) => ({ index, ...searches.get(index)! }));
      const candidates = asked.map(({ index, proposer }) => ({
        index,
        image: query === 0 ? proposer.first() : proposer.propose(side),
      }));
      const scores = await attack.judge(candidates);
      asked.forEach(({ index, proposer, best }, i) => {
        const wrongness = attack.wrongness(scores[i], index);
        if (wrongness <= best) return;
        proposer.accept();
        searches.set(index, { proposer, best: wrongness });
      });
    }
  };
