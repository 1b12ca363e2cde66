/** One evaluation: its trace, step by step, and how it compares with the others. */
import { dashboard, entry, lines, number, traces } from './parts.js';

const RATE = '[$__rate_interval]';

export const evaluation = () =>
  dashboard('Evaluation', 'One evaluation explored by its trace, beside how long evaluations take.')
    .withVariable(entry('evaluation', 'Id of the evaluation', ''))
    .withPanel(
      traces(
        {
          title: 'Its trace',
          about: 'From the request to the report. Paste the id above; open the trace.',
          width: 24,
        },
        '{ span.facet.evaluation = "$evaluation" }',
      ),
    )
    .withPanel(
      traces(
        {
          title: 'Its steps that failed',
          about: 'Attempts with an error, whether or not a later one went well.',
        },
        '{ span.cloudevents.event_subject = "$evaluation" && status = error }',
      ),
    )
    .withPanel(
      traces(
        { title: 'Its slowest attacks', about: 'Shards that took longer than half a minute.' },
        '{ span.facet.evaluation = "$evaluation" && name = "attack" && duration > 30s }',
      ),
    )
    .withPanel(
      traces(
        { title: 'Failed lately', about: 'Evaluations of anybody that failed.' },
        '{ resource.service.namespace = "facet" && name = "send facet.events.evaluation.failed.v1" }',
      ),
    )
    .withPanel(
      traces(
        { title: 'Tried again lately', about: 'Messages that took more than one attempt.' },
        '{ span.facet.attempt > 1 }',
      ),
    )
    .withPanel(
      number({ title: 'Time to report', about: 'Half of the evaluations are faster.', unit: 's' }, [
        'histogram_quantile(0.5, sum by (le) (increase(facet_evaluation_duration_seconds_bucket[$__range])))',
        '',
      ]),
    )
    .withPanel(
      number({ title: 'Time to report, 95 %', about: 'Of 100 evaluations 95 are faster.', unit: 's' }, [
        'histogram_quantile(0.95, sum by (le) (increase(facet_evaluation_duration_seconds_bucket[$__range])))',
        '',
      ]),
    )
    .withPanel(
      number(
        {
          title: 'Not in time',
          about: 'Share of the last day without a report within half an hour.',
          unit: 'percentunit',
        },
        ['facet:time_to_report:error_ratio_1d', ''],
      ),
    )
    .withPanel(
      number({ title: 'Reports', about: 'In the chosen time.', unit: 'short' }, [
        'sum(increase(facet_evaluation_duration_seconds_count[$__range]))',
        '',
      ]),
    )
    .withPanel(
      lines(
        { title: 'Steps of an evaluation', about: '95 of 100 are faster; points are traces.', unit: 's' },
        [
          [
            `histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_seconds_bucket{span_name=~"extract features|read samples|attack|store outcomes|conclude"}${RATE})))`,
            '{{span_name}}',
          ],
        ],
        { exemplars: true },
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Error budget',
          about: 'Share of evaluations without a report in time; 0.05 uses the budget up.',
          unit: 'percentunit',
        },
        [
          ['facet:time_to_report:error_ratio_1h', 'last hour'],
          ['facet:time_to_report:error_ratio_6h', 'last six hours'],
        ],
      ),
    );
