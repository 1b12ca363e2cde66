/** What the machines do, and what an evaluation costs. */
import { dashboard, entry, lines, number } from './parts.js';

const RATE = '[$__rate_interval]';
/** Of what jobs of a pool have taken in the chosen time. */
const cost = (pool: string): string =>
  `(sum(increase(facet_job_duration_seconds_sum{pool="${pool}"}[$__range])) or vector(0)) / 3600 * $${pool}_hour`;
const COST = `(${cost('gpu')} + ${cost('cpu')})`;

export const compute = () =>
  dashboard('Compute', 'GPU and CPU pools: utilisation, throughput, and cost by evaluation.')
    .withVariable(entry('gpu_hour', 'Price of a GPU worker hour', '2.5'))
    .withVariable(entry('cpu_hour', 'Price of a CPU worker hour', '0.05'))
    .withPanel(
      number(
        {
          title: 'Cost',
          about: 'Of the chosen time: busy worker hours by their price.',
          unit: 'currencyUSD',
        },
        [COST, ''],
      ),
    )
    .withPanel(
      number(
        {
          title: 'Cost of an evaluation',
          about: 'The same by reports that were made in it.',
          unit: 'currencyUSD',
        },
        [`${COST} / sum(increase(facet_evaluation_duration_seconds_count[$__range]))`, ''],
      ),
    )
    .withPanel(
      number({ title: 'Workers', about: 'For compute, all devices.', unit: 'short' }, [
        'sum(facet_compute_workers)',
        '',
      ]),
    )
    .withPanel(
      number({ title: 'Utilisation', about: 'Of all workers.', unit: 'percentunit' }, [
        `sum(rate(facet_compute_busy_seconds_total${RATE})) / sum(facet_compute_workers)`,
        '',
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'Utilisation by service',
          about: 'Low while jobs wait: scale down, or see what holds them.',
          unit: 'percentunit',
        },
        [['facet:compute_utilisation:ratio5m', '{{job}} {{device}}']],
      ),
    )
    .withPanel(
      lines({ title: 'Images a second', about: 'By stage.', unit: 'short' }, [
        [`sum by (stage) (rate(facet_images_total${RATE}))`, '{{stage}}'],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'Busy workers',
          about: 'Seconds of jobs a second: how many workers each pool keeps busy.',
          unit: 'short',
        },
        [[`sum by (handler, pool) (rate(facet_job_duration_seconds_sum${RATE}))`, '{{handler}} {{pool}}']],
      ),
    )
    .withPanel(
      lines({ title: 'Workers by device', about: 'That are there.', unit: 'short' }, [
        ['sum by (job, device) (facet_compute_workers)', '{{job}} {{device}}'],
      ]),
    )
    .withPanel(
      lines({ title: 'Jobs done', about: 'A second, by pool.', unit: 'cps' }, [
        ['sum by (pool) (facet:jobs:rate5m{outcome="done", pool!=""})', '{{pool}}'],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'Time that came to nothing',
          about: 'Seconds a second of attempts that failed or were handed back.',
          unit: 's',
        },
        [
          [
            `sum by (handler, outcome) (rate(facet_job_duration_seconds_sum{outcome!="done"}${RATE}))`,
            '{{handler}} {{outcome}}',
          ],
        ],
      ),
    );
