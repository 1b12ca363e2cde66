/** What the platform team sees of Facet on the real servers. See story.ts for what happens. */
import { SERVICES } from '@facet/cli';
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
