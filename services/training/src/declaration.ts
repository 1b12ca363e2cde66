/** What the training service takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

export const TRAINING_ACCEPT = declareHandler(VOCABULARY, {
  name: 'training-accept',
  consumes: ['training.requested'],
  publishes: ['training'],
  ackWaitMs: 30_000,
  attemptLimitMs: 60_000,
  maxDeliver: 3,
});

export const TRAINING = declareHandler(VOCABULARY, {
  name: 'training',
  consumes: ['training'],
  publishes: ['training.completed', 'training.failed', 'model.published'],
  pool: 'cpu',
  ackWaitMs: 30_000,
  attemptLimitMs: 7 * 24 * 3_600_000,
  maxDeliver: 3,
});

export const TRAINING_SERVICE = declareService({
  name: 'training',
  handlers: [TRAINING_ACCEPT, TRAINING],
  reads: ['datasets/', 'evaluations/', 'models/', 'weights/'],
  writes: ['models/', 'trainings/'],
});
