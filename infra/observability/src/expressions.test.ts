import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parser as traceql } from '@grafana/lezer-traceql';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards, textOf } from './dashboards/index.js';
import { alerts, compared, dashboardExpressions, recordingRules, ruleExpressions } from './expressions.js';
import { ALERT_TESTS, DASHBOARDS } from './files.js';

const PARSERS = { promql, traceql };

/** Where the text is no expression; undefined where it is one. */
function mistake({ language, text }: { language: keyof typeof PARSERS; text: string }): string | undefined {
  let found: string | undefined;
  PARSERS[language].parse(text).iterate({
    enter: ({ type, from }) => {
      if (type.isError) found ??= `${text.slice(0, from)}>>>${text.slice(from)}`;
    },
  });
  return found;
}

describe('every expression', () => {
  it('parses', async () => {
    const all = [...dashboardExpressions(), ...(await ruleExpressions())];
    expect(all.length).toBeGreaterThan(80);
    for (const expression of all) expect(mistake(expression), expression.where).toBeUndefined();
    for (const { alert, expr } of await alerts())
      expect(mistake({ language: 'promql', text: expr }), alert).toBeUndefined();
  });

  it('that is broken is found out', () => {
    expect(mistake({ language: 'promql', text: 'sum by (a) (rate(b[5m])' })).toBeDefined();
    expect(mistake({ language: 'traceql', text: '{ span.a = }' })).toBeDefined();
  });

  it('stands on recorded rules that there are', async () => {
    const recorded = new Set((await recordingRules()).map(({ record }) => record));
    for (const { where, text } of [...dashboardExpressions(), ...(await ruleExpressions())])
      for (const name of text.match(/\bfacet:[a-z0-9_:]+/g) ?? []) expect(recorded, where).toContain(name);
  });
});

describe('an alert', () => {
  it('has a runbook that is there, and says what is wrong', async () => {
    for (const { alert, annotations } of await alerts()) {
      expect(annotations?.['summary'], alert).toBeTruthy();
      const runbook = annotations?.['runbook_url'];
      await access(new URL(`../../../${runbook}`, import.meta.url));
    }
  });

  it('fires in a test of promtool', async () => {
    const { tests } = parse(await readFile(ALERT_TESTS, 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const fired = tests
      .flatMap((test) => test.alert_rule_test)
      .filter(({ exp_alerts: expected }) => expected.length > 0)
      .map(({ alertname }) => alertname);
    expect([...new Set(fired)].toSorted()).toEqual((await alerts()).map(({ alert }) => alert).toSorted());
  });

  it('is asked for by what it compares', () => {
    expect(compared('a > 0.1 and b > 0.2')).toBe('a and b');
    expect(compared('max by (x) (a{b="c"}) * on (x) (d == bool 0) > 0')).toBe(
      'max by (x) (a{b="c"}) * on (x) (d == bool 0)',
    );
    expect(compared('a == on (x) group_left () b')).toBe('a == on (x) group_left () b');
  });
});

it('the files of the dashboards are what the code makes; npm run dashboards writes them', async () => {
  const made = new Map(dashboards().map((one) => [`${one.uid}.json`, textOf(one)]));
  expect((await readdir(DASHBOARDS)).toSorted()).toEqual([...made.keys()].toSorted());
  for (const [name, text] of made) expect(await readFile(join(DASHBOARDS, name), 'utf8'), name).toBe(text);
});
