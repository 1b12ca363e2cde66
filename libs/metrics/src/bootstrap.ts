/**
 * One set of bootstrap draws for many statistics (Efron, 1979): every statistic sees the same resampled samples, so that
 * differences between cells, facets and models are paired, and ranks come with how often they hold.
 */
/** Resamples behind every interval; the ends of a 95 % interval then stand on 25 of them each. */
export const DRAWS = 1000;

/** How often each sample was drawn. */
export type Weights = Float64Array;

/** A number of one resample; NaN where it is undefined in it. */
export type Statistic = (weights: Weights) => number;

/**
 * The values of each statistic over the same `draws` resamples. `units` names the unit of each sample (its subject or
 * video), which is drawn as a whole, since its samples are not independent. `random` gives numbers in [0,1) and is the only
 * source of chance. Errors: RangeError where `draws` is no positive integer.
 */
export function bootstrap(
  units: readonly string[],
  random: () => number,
  statistics: Readonly<Record<string, Statistic>>,
  draws = DRAWS,
): Record<string, Float64Array> {
  if (!(Number.isSafeInteger(draws) && draws > 0))
    throw new RangeError(`draws is ${draws}, not a positive integer`);
  const numbers = new Map<string, number>();
  const unitOf = Int32Array.from(units, (unit) => {
    const number = numbers.get(unit) ?? numbers.size;
    numbers.set(unit, number);
    return number;
  });
  const named = Object.entries(statistics);
  const values = Object.fromEntries(named.map(([name]) => [name, new Float64Array(draws)]));
  const drawn = new Float64Array(numbers.size);
  const weights = new Float64Array(units.length);
  for (let draw = 0; draw < draws; draw++) {
    drawn.fill(0);
    for (let i = 0; i < numbers.size; i++) drawn[Math.floor(random() * numbers.size)]++;
    for (let i = 0; i < weights.length; i++) weights[i] = drawn[unitOf[i]];
    for (const [name, statistic] of named) values[name][draw] = statistic(weights);
  }
  return values;
}

/** Success as bits of n samples: `attempted` where the clean decision was right, `fooled` where the attack turned it. */
export interface SuccessBits {
  readonly attempted: Uint8Array;
  readonly fooled: Uint8Array;
}

/** Attack success in a resample; NaN where nothing was attempted in it. */
export function weightedRate({ attempted, fooled }: SuccessBits, weights: Weights): number {
  let [tried, turned] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    tried += weights[i] * attempted[i];
    turned += weights[i] * fooled[i];
  }
  return turned / tried;
}

/** A function that gives the AUC of the scores in a resample in O(n); NaN where a class was drawn empty. Ties count half. */
export function weightedAuc(scores: Float64Array, live: Uint8Array): Statistic {
  const order = Uint32Array.from(scores.keys()).sort((a, b) =>
    scores[a] < scores[b] ? -1 : scores[a] > scores[b] ? 1 : 0,
  );
  const isLive = Uint8Array.from(order, (index) => live[index]);
  /** Where the next larger score begins. */
  const endsTie = Uint8Array.from(order, (index, at) => Number(scores[index] !== scores[order[at + 1]]));
  return (weights) => {
    let [below, pairs, lives] = [0, 0, 0];
    let [liveHere, spoofHere] = [0, 0];
    for (let at = 0; at < order.length; at++) {
      const weight = weights[order[at]];
      const ofLive = weight * isLive[at];
      liveHere += ofLive;
      spoofHere += weight - ofLive;
      if (endsTie[at] === 0) continue;
      pairs += liveHere * (below + spoofHere / 2);
      below += spoofHere;
      lives += liveHere;
      liveHere = spoofHere = 0;
    }
    return pairs / (lives * below);
  };
}

/**
 * The median in a resample of the values at `order`, which lists them ascending, nulls last. A null ranks above all others;
 * NaN where the median falls on one, or nothing was drawn.
 */
export function weightedMedian(
  values: readonly (number | null)[],
  order: Uint32Array,
  weights: Weights,
): number {
  let total = 0;
  for (let place = 0; place < order.length; place++) total += weights[order[place]];
  const valueAt = (place: number): number => values[order[place]] ?? NaN;
  let [below, lower] = [0, 0];
  for (let place = 0; place < order.length; place++) {
    const weight = weights[order[place]];
    if (weight === 0) continue;
    // Half of the weight lay exactly below: the median is half-way between its two neighbours.
    if (2 * below === total) return (valueAt(lower) + valueAt(place)) / 2;
    below += weight;
    lower = place;
    if (2 * below > total) return valueAt(place);
  }
  return NaN;
}
