import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderJUnit } from './junit.js';
import { fixtureReport } from './report.fixture.js';

/** Reads the XML that we write: tags are balanced, attributes quoted and unescaped. Throws where it is malformed. */
function elements(xml: string): { name: string; attributes: Record<string, string> }[] {
  const found: ReturnType<typeof elements> = [];
  const open: string[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  expect(body).not.toBe(xml);
  const rest = body.replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, end, name, list, empty) => {
    if (end) expect(open.pop()).toBe(name);
    else {
      const attributes = [...(list as string).matchAll(/ ([a-z]+)="([^"]*)"/g)].map(
        ([, key, value]): [string, string] => [key, unescape(value)],
      );
      found.push({ name, attributes: Object.fromEntries(attributes) });
      if (!empty) open.push(name);
    }
    return '';
  });
  expect(open).toEqual([]);
  expect(rest.trim()).toBe('');
  return found;
}

function unescape(text: string): string {
  expect(text).not.toMatch(/&(?!(amp|lt|gt|quot|apos|#9|#10|#13);)/);
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name]);
}

const named = (xml: string, name: string) => elements(xml).filter((element) => element.name === name);

describe('JUnit', () => {
  it('has a case per check, and a failure with actual and limit for each that fails', () => {
    const xml = renderJUnit(fixtureReport());
    expect(named(xml, 'testsuite')[0].attributes).toMatchObject({
      name: 'multitask-1.0.0-faces-2-0f3c5a91',
      tests: '4',
      failures: '2',
    });
    expect(named(xml, 'testcase').map(({ attributes }) => attributes.name)).toEqual([
      'clean ACER at most',
      'clean AUC at least',
      'attack success at most, direct, epsilon <= 2/255',
      'attack success at most, texture',
    ]);
    expect(named(xml, 'testcase')[0].attributes.classname).toBe('facet.multitask.release');
    expect(named(xml, 'failure').map(({ attributes }) => attributes.message)).toEqual([
      'actual 0.958, limit 0.4',
      'actual not measured, limit 0.4',
    ]);
  });

  it('has a case with an error for a cell that could not be attacked', () => {
    const [{ id, facet, objective, search, norm, epsilon }] = fixtureReport().cells;
    const failed = { id, facet, objective, search, norm, epsilon, shards: 2, reason: 'no attempt ended' };
    const xml = renderJUnit(fixtureReport({ failedCells: [failed] }));
    expect(named(xml, 'testsuite')[0].attributes).toMatchObject({ tests: '5', failures: '2', errors: '1' });
    expect(named(xml, 'testcase').at(-1)!.attributes.name).toBe(id);
    expect(named(xml, 'error').map(({ attributes }) => attributes.message)).toEqual(['no attempt ended']);
  });

  it.each([
    ['no policy', null],
    ['no checks', 'empty'],
  ])('has one case that passes: %s', (name, policy) => {
    const xml = renderJUnit(fixtureReport({ verdict: { policy, passed: true, checks: [] } }));
    expect(named(xml, 'testcase').map(({ attributes }) => attributes.name)).toEqual([name]);
    expect(named(xml, 'testsuites')[0].attributes).toMatchObject({ tests: '1', failures: '0' });
    expect(named(xml, 'failure')).toEqual([]);
  });

  it('is well formed and keeps every name that XML can carry, whatever the names are', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant("\"/><x a='&amp;'\n\t\0"));
    const report = fixtureReport();
    fc.assert(
      fc.property(text, (name) => {
        const verdict = {
          policy: 'p',
          passed: false,
          checks: [{ name, passed: false, actual: 1, limit: 0 }],
        };
        const xml = renderJUnit({ ...report, verdict, evaluation: name });
        // eslint-disable-next-line no-control-regex
        const carried = name.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu, '\ufffd');
        expect(named(xml, 'testcase')[0].attributes.name).toBe(carried);
        expect(named(xml, 'testsuite')[0].attributes.name).toBe(carried);
      }),
    );
  });

  it('gives the same bytes for the same report', () => {
    expect(renderJUnit(fixtureReport())).toBe(renderJUnit(fixtureReport()));
  });
});
