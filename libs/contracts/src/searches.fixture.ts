/** Any search that a plan may hold, in its shortest form: nothing stands in it that it would have anyway. */
import fc from 'fast-check';
import { type PlainSearch, type SearchConfig, STEP_SCHEDULES } from './search.js';

const climbs = { loss: fc.constant('cross-entropy' as const), stop: fc.constant('never' as const) };
const plainWalks = {
  steps: fc.integer({ min: 1, max: 1000 }),
  relativeStep: fc.double({ min: 1e-9, max: 10, noNaN: true }),
  schedule: fc.constantFrom(...STEP_SCHEDULES.slice(1)),
  loss: climbs.loss,
};
const walks = {
  ...plainWalks,
  di: fc.double({ min: 0.01, max: 1, noNaN: true }),
  ti: fc.integer({ min: 1, max: 15 }).map((radius) => 2 * radius + 1),
  si: fc.integer({ min: 2, max: 16 }),
  ...climbs,
};
const abandon = fc.double({ min: 0.01, max: 1, noNaN: true });
const restarts = fc.integer({ min: 1, max: 100 });
const queries = fc.integer({ min: 1, max: 100_000 });

function plain<T extends PlainSearch['name'], M extends Record<string, fc.Arbitrary<unknown>>>(
  name: T,
  fields: M,
  required: readonly string[],
): fc.Arbitrary<PlainSearch> {
  return fc
    .record({ name: fc.constant(name), ...fields } as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: ['name', ...required],
    })
    .map((search) => search as PlainSearch);
}

const plainSearches = fc.oneof(
  plain('fgsm', climbs, []),
  plain('bim', walks, ['steps']),
  plain('bim', { ...plainWalks, abandon }, ['steps', 'abandon']),
  plain('pgd', { ...walks, restarts }, ['steps', 'restarts']),
  plain('pgd', { ...plainWalks, restarts, abandon }, ['steps', 'restarts', 'abandon']),
  ...(['mi-fgsm', 'ni-fgsm'] as const).map((name) =>
    plain(name, { ...walks, decay: fc.double({ min: 0, max: 10, noNaN: true, noDefaultInfinity: true }) }, [
      'steps',
      'decay',
    ]),
  ),
  plain('apgd', { steps: walks.steps, restarts, ...climbs }, ['steps', 'restarts']),
  plain('square', { queries, share: fc.double({ min: 0.01, max: 1, noNaN: true }) }, ['queries']),
);

export const searches: fc.Arbitrary<SearchConfig> = fc.oneof(
  plainSearches,
  queries.map((count): SearchConfig => ({ name: 'hop-skip-jump', queries: count })),
  fc
    .tuple(
      plainSearches.filter((search) => !('stop' in search)),
      fc.integer({ min: 1, max: 20 }),
    )
    .map(([search, rounds]): SearchConfig => ({ name: 'minimal-epsilon', search, rounds })),
  fc.constant<SearchConfig>({ name: 'auto' }),
);
