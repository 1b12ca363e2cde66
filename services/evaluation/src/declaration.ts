/** What the evaluation service takes, sends, reads and writes. */
import { declareHandler, declareService, VOCABULARY } from '@facet/runtime';

const LIMITS = { ackWaitMs: 30_000, attemptLimitMs: 3_600_000, maxDeliver: 3 } as const;

export const STANDING = declareHandler(VOCABULARY, {
  name: 'evaluation-standing',
  consumes: ['model.published'],
  publishes: ['evaluation.requested'],
  ...LIMITS,
});

export const OPEN = declareHandler(VOCABULARY, {
  name: 'evaluation-open',
  consumes: ['evaluation.requested'],
  publishes: ['features', 'evaluation.requested', 'evaluation.completed', 'evaluation.failed'],
  ...LIMITS,
});

export const CONTINUE = declareHandler(VOCABULARY, {
  name: 'evaluation-continue',
  consumes: ['evaluation.completed', 'evaluation.failed'],
  publishes: ['evaluation.requested', 'evaluation.failed'],
  ...LIMITS,
});

export const PLAN = declareHandler(VOCABULARY, {
  name: 'evaluation-plan',
  consumes: ['features.extracted'],
  publishes: ['evaluation.planned', 'evaluation.failed'],
  ...LIMITS,
});

export const JOIN = declareHandler(VOCABULARY, {
  name: 'evaluation-join',
  consumes: ['evaluation.planned', 'attack.completed', 'attack.failed'],
  publishes: ['attacks', 'evaluation.completed', 'evaluation.failed'],
  ...LIMITS,
});

export const EVALUATION_SERVICE = declareService({
  name: 'evaluation',
  handlers: [STANDING, OPEN, CONTINUE, PLAN, JOIN],
  reads: ['models/', 'datasets/', 'features/', 'standing/'],
  writes: ['evaluations/'],
});
