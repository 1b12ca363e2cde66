/** Takes feature jobs: what a model's features say about a dataset, extracted once, and that is a fact. */
import { isCancelled, loadRequest } from '@facet/catalog';
import { defineHandler, VOCABULARY } from '@facet/runtime';
import { inSpan, record } from '@facet/telemetry';
import { FEATURES } from './declaration.js';
import { type ExtractDependencies, extractFeatures } from './extract.js';

export const featuresHandler = (dependencies: ExtractDependencies) =>
  defineHandler(VOCABULARY, {
    ...FEATURES,
    concurrency: 1,
    async handle({ data: { evaluation, model, dataset } }, { signal, progress }) {
      if (await isCancelled(dependencies.store, evaluation)) return [];
      const { plan } = await loadRequest(dependencies.store, evaluation);
      const { priorSamples, seed } = plan;
      let described = 0;
      const features = await inSpan('extract features', { 'facet.evaluation': evaluation }, () =>
        extractFeatures(
          dependencies,
          { model, dataset, priorSamples, seed },
          {
            signal,
            onProgress: (done, total) => {
              record('facet.images', done - described, { stage: 'features' });
              described = done;
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
