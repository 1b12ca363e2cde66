/** What the platform team sees of Facet on the real servers. See story.ts for what happens. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SERVICES } from '@facet/cli';
import { needProgram } from '@facet/local';
import { ALERT_TESTS, dashboardExpressions, ruleExpressions } from '@facet/observability';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JaegerTrace, orphans } from './jaeger.js';
import { ARRIVAL_MS, CLIENT, ROOT, type Story, tellStory } from './story.js';
import { until } from './until.js';

let story: Story;
const said: string[] = [];
beforeAll(async () => {
  story = await tellStory((line) => said.push(line)).catch((error: unknown) => {
    throw new Error(said.slice(-60).join('\n'), { cause: error });
  });
}, 240_000);
afterAll(() => (story as Story | undefined)?.close(), 60_000);

/** A trace, once the span with that name has come: it is the last to end. */
const arrived = (id: string, last: string): Promise<JaegerTrace> =>
  until(`trace ${id} with ${last}`, ARRIVAL_MS, async () => {
    const trace = await story.jaeger.trace(id);
    return trace?.spans.some(({ name }) => name === last) ? trace : undefined;
  });

describe('an evaluation', () => {
  let trace: JaegerTrace;
  beforeAll(async () => {
    trace = await arrived(story.trace, ROOT);
  }, ARRIVAL_MS);

  it('is exactly one trace, which holds every service, with no orphan span', async () => {
    const services = new Set(trace.spans.map(({ service }) => service));
    expect([...services].toSorted()).toEqual(
      [CLIENT, ...SERVICES.map(({ name }) => `facet-${name}`)].toSorted(),
    );
    expect(orphans(trace)).toEqual([]);
    expect(trace.spans.filter(({ parent }) => parent === undefined).map(({ name }) => name)).toEqual([ROOT]);
    // The same evaluation was asked for a second time, by a request of its own, and cut short with the collector.
    const others = (await story.jaeger.with('facet-attacks', 'facet.evaluation', story.evaluation)).filter(
      (id) => id !== trace.id,
    );
    expect(others).toEqual([story.second].filter((id) => others.includes(id)));
  });

  it('holds every step from the request to the report', () => {
    const names = new Set(trace.spans.map(({ name }) => name));
    for (const name of [
      'POST /v1/trainings',
      'ingest',
      'train',
      'extract features',
      'attack',
      'conclude',
      'send facet.events.evaluation.completed.v1',
    ])
      expect(names).toContain(name);
  });

  it('shows a retry as a link to the span that sent the message', () => {
    const retried = trace.spans.filter(({ attributes }) => attributes['facet.attempt'] === 2);
    expect(retried).toHaveLength(1);
    const [{ links, parent, name }] = retried;
    expect(name).toBe('process facet.jobs.attacks.cpu');
    expect(links).toEqual([parent]);
    const first = trace.spans.find((s) => s.parent === parent && s.attributes['facet.attempt'] === 1);
    expect(first).toMatchObject({ failed: true, attributes: { 'facet.outcome': 'again' } });
  });
});

describe('tail sampling that keeps none but failed and slow traces', () => {
  it('keeps a failed evaluation whole', async () => {
    const trace = await arrived(story.failed.trace, 'evaluate what cannot be');
    expect(orphans(trace)).toEqual([]);
    const [failed] = trace.spans.filter(({ name }) => name === 'send facet.events.evaluation.failed.v1');
    expect(failed.attributes['cloudevents.event_subject']).toBe(story.failed.evaluation);
    await until('the reason to keep it', ARRIVAL_MS, async () => {
      const kept = await story.prometheus.query(
        '{__name__=~"otelcol_processor_tail_sampling_count_traces_sampled(_total)?", policy="evaluation-failed", sampled="true"}',
      );
      return kept.some(({ value }) => value > 0) ? true : undefined;
    });
  });

  it('drops what is neither', async () => {
    // It came before the failed one, whose trace is there.
    await arrived(story.failed.trace, 'evaluate what cannot be');
    expect(await story.jaeger.trace(story.dull)).toBeUndefined();
  });
});

describe('the collector killed in the middle of an evaluation', () => {
  it('changes no byte of the report', () => {
    const [before, after] = story.reports;
    expect(Buffer.compare(before, after)).toBe(0);
  });

  it('is one warning of a process at most, and of one at least', () => {
    const services = story.warnings.map(({ service }) => service);
    expect(services.length).toBeGreaterThan(0);
    expect(services).toEqual([...new Set(services)]);
  });
});

it('sends logs with the trace of the code that wrote them', async () => {
  const id = Buffer.from(story.trace, 'hex');
  await until('a log line of the trace', ARRIVAL_MS, () =>
    Promise.resolve(story.logs.holds(id) ? true : undefined),
  );
});

describe('Prometheus', () => {
  it('has data for every expression of every dashboard, rule and alert', async () => {
    const all = [...dashboardExpressions(), ...(await ruleExpressions())].filter(
      ({ language }) => language === 'promql',
    );
    let missing = all;
    await until('data', ARRIVAL_MS, async () => {
      const found = await Promise.all(
        missing.map(async ({ where, text }) => {
          const series = await story.prometheus.query(text).catch((error: unknown) => {
            throw new Error(`${where}: ${text}`, { cause: error });
          });
          return series.length > 0;
        }),
      );
      missing = missing.filter((_, index) => !found[index]);
      return missing.length === 0 ? true : undefined;
    }).catch((error: unknown) => {
      if (missing.length === 0) throw error;
    });
    expect(missing).toEqual([]);
    expect(await story.prometheus.brokenRules()).toEqual([]);
  }, 60_000);

  it('measured what happened', async () => {
    const value = async (expression: string) => (await story.prometheus.query(expression))[0]?.value;
    expect(await value('max(jetstream_stream_total_messages{stream_name="FACET_DLQ"})')).toBe(3);
    expect(await value('sum(facet_dead_letters_total{reason="invalid"})')).toBe(1);
    expect(await value('sum(facet_job_duration_seconds_count{handler="attacks", outcome="again"})')).toBe(1);
    expect(await value('sum(facet_verdicts_total{model="trained", outcome="rejected"})')).toBe(2);
    expect(await value('max(facet_training_progress_ratio{model="trained"})')).toBe(1);
    const utilisation = await value('max(facet:compute_utilisation:ratio5m)');
    expect(utilisation).toBeGreaterThan(0);
    expect(utilisation).toBeLessThanOrEqual(1);
  });

  it('has exemplars that lead to traces', async () => {
    const ids = await story.prometheus.exemplars('traces_span_metrics_duration_seconds_bucket');
    expect(ids).toContain(story.trace);
  });

  it('has few series, and none that grows with evaluations', async () => {
    const counted = await story.prometheus.query(
      'count by (__name__) ({job=~"facet/.*", __name__!~".*_bucket"})',
    );
    const total = counted.reduce((sum, { value }) => sum + value, 0);
    expect(total).toBeLessThan(3_000);
    const ids = [story.evaluation, story.failed.evaluation, story.trace].join('|');
    for (const { labels } of await story.prometheus.query('{job=~"facet/.*"}'))
      expect(JSON.stringify(labels)).not.toMatch(new RegExp(ids));
  });

  it('raises every alert when it should: promtool test rules', async () => {
    const { stdout } = await promisify(execFile)(needProgram('promtool'), ['test', 'rules', ALERT_TESTS]);
    expect(stdout).toContain('SUCCESS');
  });
});
