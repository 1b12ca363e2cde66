/** Whether work flows: what comes, what waits, what is tried again or given up, and where the time goes. */
import { dashboard, lines, number } from './parts.js';

const RATE = '[$__rate_interval]';

export const pipeline = () =>
  dashboard('Pipeline', 'Events, lag, retries, dead letters, and where time goes.')
    .withPanel(
      number({ title: 'Waiting jobs', about: 'Before all workers, as NATS has them.', unit: 'short' }, [
        'sum(max by (consumer_name) (jetstream_consumer_num_pending{stream_name="FACET_JOBS"}))',
        '',
      ]),
    )
    .withPanel(
      number({ title: 'Dead letters', about: 'That nobody has dealt with.', unit: 'short' }, [
        'max(jetstream_stream_total_messages{stream_name="FACET_DLQ"})',
        '',
      ]),
    )
    .withPanel(
      number(
        {
          title: 'Time to report',
          about: 'Share of evaluations of the last day with a report in time.',
          unit: 'percentunit',
        },
        ['1 - facet:time_to_report:error_ratio_1d', ''],
      ),
    )
    .withPanel(
      number({ title: 'Targets up', about: 'What Prometheus reaches, of all.', unit: 'percentunit' }, [
        'avg(up)',
        '',
      ]),
    )
    .withPanel(
      lines({ title: 'Events and jobs', about: 'Published a second, by subject.', unit: 'cps' }, [
        [`sum by (subject) (rate(facet_bus_publish_duration_seconds_count${RATE}))`, '{{subject}}'],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'Lag',
          about: 'Messages before each consumer: waiting, and given out but unsettled.',
          unit: 'short',
        },
        [
          ['max by (consumer, state) (facet_queue_messages)', '{{consumer}} {{state}}'],
          [
            'max by (consumer_name) (jetstream_consumer_num_ack_pending)',
            '{{consumer_name}} unsettled (NATS)',
          ],
        ],
      ),
    )
    .withPanel(
      lines({ title: 'Attempts that ended', about: 'A second, by how they ended.', unit: 'cps' }, [
        ['sum by (handler, pool, outcome) (facet:jobs:rate5m)', '{{handler}} {{pool}} {{outcome}}'],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'Retries',
          about: 'Attempts that a message took, of the unluckiest 1 %; and redelivered now.',
          unit: 'short',
        },
        [
          [
            `histogram_quantile(0.99, sum by (le, handler) (rate(facet_job_attempts_bucket${RATE})))`,
            '{{handler}}',
          ],
          ['max by (consumer_name) (jetstream_consumer_num_redelivered)', '{{consumer_name}} redelivered'],
        ],
      ),
    )
    .withPanel(
      lines({ title: 'Given up', about: 'Dead letters since the process began, by reason.', unit: 'short' }, [
        ['sum by (handler, reason) (facet_dead_letters_total)', '{{handler}} {{reason}}'],
      ]),
    )
    .withPanel(
      lines({ title: 'Duration of jobs', about: '95 of 100 are faster.', unit: 's' }, [
        ['facet:job_duration_seconds:p95_5m', '{{handler}} {{pool}}'],
      ]),
    )
    .withPanel(
      lines(
        { title: 'Where time goes', about: 'Seconds a second, by what is done. From all spans.', unit: 's' },
        [[`sum by (span_name) (rate(traces_span_metrics_duration_seconds_sum${RATE}))`, '{{span_name}}']],
      ),
    )
    .withPanel(
      lines(
        { title: 'Duration of steps', about: '95 of 100 are faster; points are traces.', unit: 's' },
        [
          [
            `histogram_quantile(0.95, sum by (le, span_name) (rate(traces_span_metrics_duration_seconds_bucket${RATE})))`,
            '{{span_name}}',
          ],
        ],
        { exemplars: true },
      ),
    )
    .withPanel(
      lines(
        { title: 'Store', about: '95 of 100 operations are faster, and the share that fails.', unit: 's' },
        [
          [
            `histogram_quantile(0.95, sum by (le, operation) (rate(facet_store_operation_duration_seconds_bucket${RATE})))`,
            '{{operation}}',
          ],
          ['facet:store_errors:ratio5m', '{{operation}} failed'],
        ],
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Bus',
          about: '95 of 100 messages are published faster, and the share that fails.',
          unit: 's',
        },
        [
          [
            `histogram_quantile(0.95, sum by (le) (rate(facet_bus_publish_duration_seconds_bucket${RATE})))`,
            'published',
          ],
          ['facet:bus_errors:ratio5m', 'failed'],
        ],
      ),
    )
    .withPanel(
      lines({ title: 'Gateway', about: 'Requests a second by route and status.', unit: 'reqps' }, [
        [
          `sum by (http_route, http_response_status_code) (rate(http_server_request_duration_seconds_count${RATE}))`,
          '{{http_route}} {{http_response_status_code}}',
        ],
      ]),
    )
    .withPanel(
      lines(
        {
          title: 'NATS',
          about: 'Connections; consumers that are too slow for what they are sent.',
          unit: 'short',
        },
        [
          ['sum(gnatsd_varz_connections)', 'connections'],
          ['sum(gnatsd_varz_slow_consumers)', 'slow consumers'],
          ['max by (stream_name) (jetstream_stream_total_messages)', '{{stream_name}}'],
        ],
      ),
    )
    .withPanel(
      lines({ title: 'Object store', about: 'Requests a second, and room that is left.', unit: 'short' }, [
        [`sum by (api) (rate(minio_s3_requests_total${RATE}))`, '{{api}}'],
        [
          'sum(minio_cluster_capacity_usable_free_bytes) / sum(minio_cluster_capacity_usable_total_bytes)',
          'share that is free',
        ],
      ]),
    );
