/**
 * One scored sample and the one rule of decision: a sample is taken for live iff its score >= the threshold.
 * Every metric decides through {@link decidesLive}, so that ties at the threshold mean the same everywhere.
 */

export interface Sample {
  /** High for live, in any unit (probability, logit, margin); infinities are allowed, NaN is refused. */
  readonly score: number;
  /** The truth: bona fide presentation, or else an attack. */
  readonly live: boolean;
  /** PAI species of an attack; absent or null, it counts as {@link UNNAMED_SPECIES}. Ignored on live samples. */
  readonly species?: string | null;
}

/** The species of attacks that name none. */
export const UNNAMED_SPECIES = 'unnamed';

/** Live iff score >= threshold. */
export const decidesLive = (score: number, threshold: number): boolean => score >= threshold;

export function checkScores(samples: readonly Sample[]): void {
  samples.forEach(({ score }, i) => {
    if (Number.isNaN(score)) throw new RangeError(`sample ${i}: score is NaN`);
  });
}

export function checkThreshold(threshold: number): void {
  if (Number.isNaN(threshold)) throw new RangeError('threshold is NaN');
}

/** `part / whole`, or null where there is nothing to take a share of. */
export const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** The attacks among `items` by PAI species, ordered by code unit so that tables come out alike in every locale. */
export function attacksBySpecies<T extends Pick<Sample, 'live' | 'species'>>(
  items: readonly T[],
): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    if (item.live) continue;
    const species = item.species ?? UNNAMED_SPECIES;
    const group = groups.get(species);
    if (group === undefined) groups.set(species, [item]);
    else group.push(item);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
