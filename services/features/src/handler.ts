/** Takes feature jobs: what a model's features say about a dataset, extracted once, and that is a fact. */
import { loadRequest } from '@facet/catalog';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { inSpan } from '@facet/telemetry';
import { type ExtractDependencies, extractFeatures } from './extract.js';

const ATTEMPT_LIMIT_MS = 6 * 3_600_000;

export const featuresHandler = (dependencies: ExtractDependencies) =>
  defineHandler(VOCABULARY, {
    name: 'features',
    consumes: ['features'],
    pool: 'cpu',
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: ATTEMPT_LIMIT_MS,
    maxDeliver: 3,
    async handle({ data: { evaluation, model, dataset } }, { signal, progress }) {
      const { plan } = await loadRequest(dependencies.store, evaluation);
      const { priorSamples, seed } = plan;
      const features = await inSpan('extract features', { 'facet.evaluation': evaluation }, () =>
        extractFeatures(
          dependencies,
          { model, dataset, priorSamples, seed },
          {
            signal,
            onProgress: (done, total) => {
              progress.report({ step: 'features', done, total, unit: 'images' });
            },
          },
        ),
      );
      return [
        { type: 'features.extracted', subject: evaluation, data: { evaluation, model, dataset, features } },
      ];
    },
    onGivenUp: ({ data: { evaluation } }, { message }) => [
      {
        type: 'evaluation.failed',
        subject: evaluation,
        data: { evaluation, reasons: [`features: ${message}`] },
      },
    ],
  });
