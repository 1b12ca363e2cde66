import type { Report } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { fixturePictures } from '../pictures.fixture.js';
import { fixtureReport, smallReport } from '../report.fixture.js';
import { renderHtml } from './page.js';

const VOID = new Set(['meta', 'br', 'img', 'path', '!doctype']);

/** The visible text of a piece of the page, in one line. */
const textOf = (page: string): string =>
  page
    .replace(/<style>[^]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

const sectionOf = (page: string, id: string): string => {
  const [, found] = new RegExp(`<section id="${id}"([^]*?)</section>`).exec(page) ?? [];
  if (found === undefined) throw new Error(`no section ${id}`);
  return textOf(`<section${found}`);
};

const summaryOf = (page: string): string => textOf(/<p class="summary">[^]*?<\/p>/.exec(page)?.[0] ?? '');

/** The names of the page's open elements at its end, which is none where it is well formed. */
function unclosed(page: string): string[] {
  const open: string[] = [];
  const tags = page.replace(/<style>[^]*?<\/style>/g, '').matchAll(/<(\/?)([a-z0-9!]+)[^>]*?(\/?)>/gi);
  for (const [, end, name, empty] of tags) {
    if (end) expect(open.pop()).toBe(name);
    else if (!empty && !VOID.has(name)) open.push(name);
  }
  return open;
}

/** A long text that would break out of every place in which text is put. */
const HOSTILE = `</td></section></title><script>alert(1)</script><img src=x onerror="alert(2)">' onload='alert(3)`;

function hostileReport(): Report {
  const report = fixtureReport();
  const species = <T>(own: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(own).map(([name, value], i) => [i === 0 ? HOSTILE : name, value]));
  return fixtureReport({
    evaluation: HOSTILE,
    notes: [HOSTILE],
    clean: {
      ...report.clean,
      apcerBySpecies: species(report.clean.apcerBySpecies),
      tprAtFpr: { [HOSTILE]: 0.5 },
    },
    cells: report.cells.map((cell) => ({
      ...cell,
      search: cell.search === 'fgsm' ? HOSTILE : cell.search,
      bySpecies: species(cell.bySpecies),
    })),
    gains: report.gains.map((gain) => ({ ...gain, search: gain.search === 'fgsm' ? HOSTILE : gain.search })),
    facets: report.facets.map((facet) => ({ ...facet, priorSamples: null, withoutPrior: HOSTILE })),
    worst: report.worst.map((one) => ({ ...one, cell: HOSTILE, key: HOSTILE, species: HOSTILE })),
    verdict: { ...report.verdict, checks: [{ name: HOSTILE, passed: false, actual: 1, limit: 0 }] },
    provenance: { ...report.provenance, facet: HOSTILE, backend: HOSTILE, cpu: HOSTILE },
  });
}

describe('the page beside a baseline', async () => {
  const page = await renderHtml(fixtureReport(), []);

  it('counts what became worse and better, and what chance explains', async () => {
    const { cells } = fixtureReport().baseline!;
    const count = (change: string) => cells.filter((cell) => cell.attackSuccessRate.change === change).length;
    const text = sectionOf(page, 'baseline');
    expect(text).toContain('multitask@0.9.0');
    expect(text).toContain(`${count('worse')} became worse, ${count('better')} better`);
    expect(text).toContain('+12.0');
    expect(text).toContain('within noise');
    expect(await renderHtml(fixtureReport({ baseline: null }), [])).not.toContain('id="baseline"');
  });

  it('ranks with intervals, and says by which epsilons', () => {
    const text = sectionOf(page, 'ranking');
    expect(text).toContain('at 1/255; at 2/255, 4/255, 8/255 everything falls');
    expect(text).toContain('weakest in 87');
  });

  it('shows groups of people side by side', () => {
    const text = sectionOf(page, 'groups');
    for (const name of ['dark', 'normal', 'eyeglasses', 'with', 'without']) expect(text).toContain(name);
  });
});

describe('the page', async () => {
  const report = fixtureReport();
  const page = await renderHtml(report, fixturePictures(report));

  it('gives the same bytes for the same report', async () => {
    expect(await renderHtml(fixtureReport(), fixturePictures(report))).toBe(page);
  });

  it('is well formed, has one main heading, and every id once', () => {
    expect(unclosed(page)).toEqual([]);
    expect(page.match(/<h1/g)).toHaveLength(1);
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/(?:href="#|aria-labelledby=")([^"]*)"/g))
      expect(ids).toContain(target);
  });

  it('holds nothing that is loaded or run', () => {
    const bare = page
      .replaceAll(/data:image\/png;base64,[A-Za-z0-9+/=]+/g, '')
      .replaceAll(/xmlns(:\w+)?="[^"]*"/g, '');
    expect(bare).not.toMatch(/https?:|<script|<link|<iframe|@import|\bon\w+=|url\((?!#)/i);
    expect(page).toContain(
      `content="default-src &#39;none&#39;; img-src data:; style-src &#39;unsafe-inline&#39;"`,
    );
  });

  it('says what was examined, and what the policy demands', () => {
    const head = textOf(/<header[^]*?<\/header>/.exec(page)?.[0] ?? '');
    expect(head).toContain('multitask@1.0.0');
    expect(head).toContain('synthetic-faces@2');
    expect(head).toContain('✗ Failed Policy release: 2 of 4 checks fail.');
    expect(head).toContain('✗ fails attack success at most, texture not measured 40.00 %');
    expect(head).not.toContain('Mind this');
  });

  it('tells the main finding in words', () => {
    expect(summaryOf(page)).toMatch(
      /^ On clean images the model decides 96\.5 % of 600 test samples right\. Its weakest facet is depth: at an epsilon of 1\/255 the attack \(sfa objective, pgd-10\) flips \d+ of \d+ right decisions \([\d.]+ %, 95 % interval [\d.]+–[\d.]+ %\)\. Attacking the decision itself flips [\d.]+ % at the same epsilon\. Over the auxiliary facets, SFA adds up to [\d.]+ points to facet-only success \(from [\d.]+ % to [\d.]+ % at 2\/255\); the control, a prior of shuffled labels, reaches [\d.]+ %\. $/,
    );
  });

  it('shows every cell in the heat map, with its counts and interval', () => {
    const [, heat] = /<section id="success"([^]*?)<\/section>/.exec(page) ?? [];
    expect(heat.match(/<table/g)).toHaveLength(3);
    expect(heat.match(/<caption/g)).toHaveLength(3);
    expect(heat.match(/<td class="h\d+"/g)).toHaveLength(report.cells.length);
    const [cell] = report.cells;
    expect(heat.replaceAll('\u00a0', ' ')).toContain(
      `title="live, direct, fgsm, 1/255; ${cell.succeeded} of ${cell.attempted} right decisions flipped: ${(cell.attackSuccessRate! * 100).toFixed(1)} %`,
    );
  });

  it('draws a chart per facet and search, and says each in words', () => {
    const [, curves] = /<section id="curves"([^]*?)<\/section>/.exec(page) ?? [];
    const labels = [...curves.matchAll(/role="img" aria-label="([^"]*)"/g)].map(([, label]) => label);
    expect(labels).toHaveLength(18);
    expect(labels[1]).toMatch(/^Attack success of attributes, pgd-10, L∞\. direct: 1\/255 [\d.]+.%, 2\/255 /);
  });

  it('shows gains, ranking, clean figures, directions and species', () => {
    expect(sectionOf(page, 'gains')).toMatch(/pgd-10, L∞ 1\/255 [\d.]+ % [\d.]+ % [\d.]+ % \+[\d.]+ /);
    expect(sectionOf(page, 'ranking')).toMatch(
      / 1 weakest in 87 % depth [\d.]+ % [\d.–]+ % [\d.]+ % [\d.–]+ % 1\/255 97\.2 % the model's own head 412 live, 588 spoof 2 1–2, weakest in 3 % spoof-type /,
    );
    const clean = sectionOf(page, 'clean');
    expect(clean).toContain('The threshold was set at the equal error rate on the dev split, and frozen.');
    expect(clean).toContain('APCER, worst species 8.3 %');
    expect(clean).toContain('TPR at FPR 0.01 94.0 % TPR at FPR 0.005 91.5 % TPR at FPR 0.001 87.0 %');
    expect(clean).toContain('3d-mask 60 8.3 % a4 110 1.8 %');
    expect(sectionOf(page, 'directions')).toContain('let in locked out let in locked out');
    expect(sectionOf(page, 'directions')).toContain('The same for fgsm, L∞');
    expect(sectionOf(page, 'species')).toContain(
      'epsilon 1/255 Facet Objective 3d-mask a4 pad phone live direct',
    );
  });

  it('shows the worst cases as pictures, each with a text in its stead', () => {
    const images = [...page.matchAll(/<img src="data:image\/png;base64,([^"]*)" alt="([^"]*)"/g)];
    const [picture] = fixturePictures(report);
    expect(images).toHaveLength(6);
    expect(images[0][1]).toBe(Buffer.from(picture.original).toString('base64'));
    expect(images.slice(0, 3).map(([, , alt]) => alt)).toEqual([
      'spoof (a4), original',
      'the same spoof (a4) after the attack on depth, sfa, pgd-10',
      'difference, amplified 24 times',
    ]);
    const text = sectionOf(page, 'worst');
    expect(text).toContain('score 0.1183 → 0.9312, accepted as live at threshold 0.5371');
    expect(text).toContain('score 0.9114 → 0.0421, rejected as spoof at threshold 0.5371');
  });

  it('explains its words, says whose SFA it is, and where the numbers come from', () => {
    for (const word of [
      'Facet',
      'direct',
      'facet',
      'sfa',
      'prior-only',
      'control',
      'Epsilon',
      'Attack success',
    ])
      expect(sectionOf(page, 'reading')).toContain(` ${word} `);
    expect(sectionOf(page, 'reading')).toContain('our reconstruction');
    const provenance = sectionOf(page, 'provenance');
    expect(provenance).toContain(`sha256 ${'a1'.repeat(32)}`);
    expect(provenance).toContain('96 of 96 stored images');
    expect(provenance).toContain('"seed": 7');
  });

  it('is not broken by hostile names', async () => {
    const hostile = hostileReport();
    const broken = await renderHtml(hostile, fixturePictures(hostile));
    expect(unclosed(broken)).toEqual([]);
    expect(broken).not.toMatch(/<script|<img src=x/);
    expect(broken.match(/<section/g)).toHaveLength(12);
    for (const id of ['success', 'clean', 'species', 'worst', 'provenance', 'ranking'])
      expect(sectionOf(broken, id)).toContain('<script>alert(1)</script>');
    for (const [, attributes] of broken.matchAll(/<[a-z][a-z0-9]*((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/g))
      expect(attributes.replace(/"[^"]*"/g, '')).not.toMatch(/\bon\w+/);
  });
});

describe('the page where something is missing', () => {
  it('has neither facets, priors, policy nor pictures', async () => {
    const page = await renderHtml(smallReport(), []);
    expect(unclosed(page)).toEqual([]);
    expect(textOf(page)).toContain('No policy Nothing was demanded of this model');
    expect(textOf(page)).toContain('Mind this The dataset has no dev split');
    expect(summaryOf(page)).toBe(
      ' On clean images the model decides 100.0 % of 3 test samples right. No facet could be ranked. Attacking the decision itself: even at 2/255, the largest epsilon tried, the attack (direct objective, fgsm) flips only 1 of 3 right decisions (33.3 %, 95 % interval 6.1–79.2 %). There is no auxiliary facet on which SFA could be compared with the facet-only attack. So few samples were attacked that the intervals say more than the rates. ',
    );
    expect(sectionOf(page, 'clean')).toContain("the model's own decision boundary");
    expect(sectionOf(page, 'clean')).toContain('BPCER – ');
    expect(sectionOf(page, 'ranking')).toContain('The model offers no facet besides its decision.');
    expect(sectionOf(page, 'gains')).toContain('nothing to compare');
    expect(sectionOf(page, 'worst')).toContain('No picture of a worst case was kept');
  });

  it('has no cells at all', async () => {
    const page = await renderHtml(smallReport({ cells: [], curves: [] }), []);
    expect(unclosed(page)).toEqual([]);
    expect(summaryOf(page)).toContain('No attack was run on it.');
    expect(page).not.toContain('id="curves"');
    expect(page).not.toContain('href="#curves"');
    expect(sectionOf(page, 'worst')).toContain('No attack flipped a decision');
  });

  it('has cells in which nothing could be attacked', async () => {
    const report = fixtureReport();
    const none = { attempted: 0, succeeded: 0, rate: null };
    const cells = report.cells.map((cell) => ({
      ...cell,
      attempted: 0,
      succeeded: 0,
      attackSuccessRate: null,
      interval: null,
      directions: { spoofAsLive: none, liveAsSpoof: none },
      bySpecies: {},
      robustApcer: null,
    }));
    const page = await renderHtml(fixtureReport({ cells, gains: [], worst: [] }), []);
    expect(unclosed(page)).toEqual([]);
    expect(summaryOf(page)).toContain('no decision that was right before was attacked');
    expect(page).not.toContain('id="species"');
    expect(page).not.toContain('NaN');
  });

  it('has facets without priors, and says so before the numbers', async () => {
    const report = fixtureReport();
    const page = await renderHtml(
      fixtureReport({
        facets: report.facets.map((facet) => ({
          ...facet,
          probeAccuracy: null,
          priorSamples: null,
          withoutPrior: 'only 4 live samples in train',
        })),
        cells: report.cells.filter(({ objective }) => objective === 'direct' || objective === 'facet'),
        gains: report.gains.map((gain) => ({ ...gain, sfa: null, control: null, gain: null })),
      }),
      [],
    );
    expect(page.indexOf('Mind this')).toBeLessThan(page.indexOf('id="success"'));
    expect(textOf(page)).toContain(
      'depth has no prior, so it was not attacked with SFA: only 4 live samples',
    );
    expect(summaryOf(page)).toContain('What SFA would add is unknown');
    expect(sectionOf(page, 'ranking')).toContain('–');
  });

  it('says that SFA adds nothing where it does', async () => {
    const report = fixtureReport();
    const gains = report.gains.map((gain) => ({ ...gain, gain: -0.012 }));
    expect(summaryOf(await renderHtml({ ...report, gains }, []))).toContain(
      'SFA adds nothing to facet-only success: at best −1.2 points',
    );
  });

  it('passed, or was held to a policy without checks', async () => {
    const passed = {
      policy: 'release',
      passed: true,
      checks: [{ name: 'a', passed: true, actual: 0, limit: 1 }],
    };
    expect(textOf(await renderHtml(smallReport({ verdict: passed }), []))).toContain(
      '✓ Passed Policy release: all checks hold.',
    );
    const empty = { policy: 'release', passed: true, checks: [] };
    expect(textOf(await renderHtml(smallReport({ verdict: empty }), []))).toContain('it holds no checks');
  });
});
