/** How an attack searches: the searches by name, with their parameters. */
import { z } from 'zod';

export const SearchConfig = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('fgsm') }),
  z.strictObject({
    name: z.literal('pgd'),
    steps: z.int().min(1).max(1000).default(10),
    restarts: z.int().min(1).max(100).default(1),
    /** Step length over epsilon; 2.5 / steps unless given. */
    relativeStep: z.number().positive().max(10).optional(),
  }),
]);
export type SearchConfig = z.infer<typeof SearchConfig>;

/** A search's short name in cell ids and tables: `fgsm`, `pgd-10`, `pgd-40x5`. */
export function formatSearch(search: SearchConfig): string {
  if (search.name === 'fgsm') return 'fgsm';
  const restarts = search.restarts > 1 ? `x${search.restarts}` : '';
  const step = search.relativeStep === undefined ? '' : `-s${search.relativeStep}`;
  return `pgd-${search.steps}${restarts}${step}`;
}
