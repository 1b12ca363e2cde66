/** What a report says of searches that leave samples behind. */
import { type EvaluationPlan, formatSearch, type SearchConfig } from '@facet/contracts';

const abandons = (search: SearchConfig): boolean =>
  search.name === 'minimal-epsilon'
    ? abandons(search.search)
    : 'abandon' in search && search.abandon !== undefined;

/** A sentence that names them; none where every search goes to its end. */
export function lowerBoundNotes({ attacks }: Pick<EvaluationPlan, 'attacks'>): string[] {
  const names = new Set(
    attacks
      .flatMap(({ searches }) => searches)
      .filter(abandons)
      .map(formatSearch),
  );
  if (names.size === 0) return [];
  return [
    `${[...names].join(', ')}: samples that came too little of their way were left behind (abandon), so success is a lower bound`,
  ];
}
