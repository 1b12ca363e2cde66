/** What the features service takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

export const FEATURES = declareHandler(VOCABULARY, {
  name: 'features',
  consumes: ['features'],
  publishes: ['features.extracted', 'evaluation.failed'],
  pool: 'cpu',
  ackWaitMs: 30_000,
  attemptLimitMs: 6 * 3_600_000,
  maxDeliver: 3,
});

export const FEATURES_SERVICE = declareService({
  name: 'features',
  handlers: [FEATURES],
  reads: ['models/', 'datasets/', 'evaluations/'],
  writes: ['features/'],
});
