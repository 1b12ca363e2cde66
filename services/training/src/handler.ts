/** Accepts trainings and runs them; what comes out is published, and that starts its evaluation. */
import { DECISION_FACET, formatRef } from '@facet/contracts';
import { defineHandler, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { inSpan, record } from '@facet/telemetry';
import { TRAINING, TRAINING_ACCEPT } from './declaration.js';
import { runTraining, type TrainDependencies } from './train.js';

type Outgoing = OutgoingEvent<typeof VOCABULARY>;

/** A requested training becomes a job, which one worker takes. */
const acceptHandler = defineHandler(VOCABULARY, {
  ...TRAINING_ACCEPT,
  concurrency: 1,
  handle: ({ data }): Promise<Outgoing[]> =>
    Promise.resolve([{ type: 'training', subject: formatRef(data.model), data }]),
});

const runHandler = (dependencies: TrainDependencies) =>
  defineHandler(VOCABULARY, {
    ...TRAINING,
    concurrency: 1,
    async handle({ data: request }, { signal, progress }): Promise<Outgoing[]> {
      const { batch } = request.recipe;
      const { name: model } = request.model;
      const about = { 'facet.model': formatRef(request.model), 'facet.dataset': formatRef(request.dataset) };
      const { ref, digest } = await inSpan('train', about, () =>
        runTraining(dependencies, request, {
          signal,
          onStep: ({ step, totalSteps, losses }) => {
            record('facet.images', batch, { stage: 'training' });
            record('facet.training.progress', step / totalSteps, { model });
            for (const [loss, value] of Object.entries(losses))
              record('facet.training.loss', value, { model, loss });
            progress.report({
              step: 'training',
              done: step * batch,
              total: totalSteps * batch,
              unit: 'images',
              note: `loss ${losses[DECISION_FACET].toFixed(3)}`,
            });
          },
        }),
      );
      const subject = formatRef(ref);
      return [
        { type: 'training.completed', subject, data: { request, digest } },
        { type: 'model.published', subject, data: { model: ref, digest } },
      ];
    },
    onGivenUp: ({ data: request }, { message }) => [
      {
        type: 'training.failed',
        subject: formatRef(request.model),
        data: { request, reason: message },
      },
    ],
  });

export const trainingHandlers = (dependencies: TrainDependencies) => [
  acceptHandler,
  runHandler(dependencies),
];
