/** Trainings under way: how far, how good, how fast. */
import { choice, dashboard, lines } from './parts.js';

const RATE = '[$__rate_interval]';

export const training = () =>
  dashboard('Training', 'Trainings: progress, losses, throughput, and what became of them.')
    .withVariable(choice('model', 'facet_training_progress_ratio', 'model'))
    .withPanel(
      lines(
        {
          title: 'Progress',
          about: 'Share of steps that are done. One that stands still hangs or waits.',
          unit: 'percentunit',
        },
        [['max by (model) (facet_training_progress_ratio{model=~"$model"})', '{{model}}']],
      ),
    )
    .withPanel(
      lines({ title: 'Loss', about: 'At the latest step, by head.', unit: 'short' }, [
        ['max by (model, loss) (facet_training_loss{model=~"$model"})', '{{model}} {{loss}}'],
      ]),
    )
    .withPanel(
      lines({ title: 'Images a second', about: 'That went through a step.', unit: 'short' }, [
        [`sum(rate(facet_images_total{stage="training"}${RATE}))`, 'images'],
      ]),
    )
    .withPanel(
      lines({ title: 'Utilisation', about: 'Of the training workers.', unit: 'percentunit' }, [
        ['facet:compute_utilisation:ratio5m{job="facet/facet-training"}', '{{device}}'],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'What became of them',
          about: 'Trainings since the process began, by how an attempt ended.',
          unit: 'short',
        },
        [['sum by (outcome) (facet_job_duration_seconds_count{handler="training"})', '{{outcome}}']],
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Trained models',
          about: 'Attack success of the latest report of each: did it help?',
          unit: 'percentunit',
        },
        [
          [
            'max by (model, facet) (facet:attack_success_rate:latest{model=~"$model"})',
            '{{model}} {{facet}}',
          ],
        ],
      ),
    );
