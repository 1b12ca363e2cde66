/** What the attacks service takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

export const ATTACKS = declareHandler(VOCABULARY, {
  name: 'attacks',
  consumes: ['attacks'],
  publishes: ['attack.completed', 'attack.failed'],
  pool: 'cpu',
  ackWaitMs: 30_000,
  attemptLimitMs: 6 * 3_600_000,
  maxDeliver: 4,
});

export const ATTACKS_SERVICE = declareService({
  name: 'attacks',
  handlers: [ATTACKS],
  reads: ['models/', 'datasets/', 'features/', 'evaluations/'],
  writes: ['evaluations/*/cells/'],
});
