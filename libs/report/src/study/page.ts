/** A study's report as one HTML file that stands alone, and as a table for the terminal. */
import type { Estimate, StudyEffect, StudyReport } from '@facet/contracts';
import { epsilonText, percent, percentage, points, pointsInterval, UNDEFINED } from '../format.js';
import { htmlDocument } from '../html/document.js';
import { html, type Html } from '../html/html.js';
import { madeWith, remarks, scroll, section } from '../html/parts.js';
import { defencesSection, defencesTable } from './defences.js';

const WORDS: Readonly<Record<StudyEffect['change'], string>> = {
  harder: 'harder to attack',
  easier: 'easier to attack',
  'within-noise': 'within noise',
  unknown: 'unknown: one seed says nothing',
  reference: 'what the others are compared with',
};

const interval = (estimate: Estimate): string =>
  estimate.interval === null
    ? 'one seed'
    : `${percentage(estimate.interval[0])}\u2013${percentage(estimate.interval[1])}`;

/** The answer in words: what is told from noise, and what is not. */
export function studyFindings({ backbones, features }: StudyReport): string[] {
  const told = (effects: readonly StudyEffect[], change: StudyEffect['change']): string[] =>
    effects.filter((one) => one.change === change).map(({ name }) => name);
  const sentence = (what: string, effects: readonly StudyEffect[]): string => {
    const [harder, easier] = [told(effects, 'harder'), told(effects, 'easier')];
    if (harder.length + easier.length === 0)
      return `No ${what} is told from the others: all differences are within noise.`;
    const parts = [
      ...(harder.length > 0 ? [`${harder.join(', ')} make it harder`] : []),
      ...(easier.length > 0 ? [`${easier.join(', ')} make it easier`] : []),
    ];
    return `Which ${what}: ${parts.join('; ')} to attack, beyond noise.`;
  };
  return [sentence('backbone', backbones), sentence('auxiliary feature', features)];
}

const estimated = (estimate: Estimate | null): Html =>
  estimate === null
    ? html`<td class="n">${UNDEFINED}</td>`
    : html`<td class="n">${percent(estimate.mean)} <small>${interval(estimate)}</small></td>`;

const effects = (label: string, first: string, all: readonly StudyEffect[]): Html =>
  scroll(
    label,
    html`<table class="plain">
      <thead>
        <tr>
          <th scope="col">${first}</th>
          <th scope="col" class="n">Difference, points</th>
          <th scope="col" class="n">95 %</th>
          <th scope="col" class="n">Pairs</th>
          <th scope="col">Told from noise?</th>
        </tr>
      </thead>
      <tbody>
        ${all.map(
          ({ name, difference, change }) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td class="n"><b>${points(difference?.mean ?? null)}</b></td>
              <td class="n">${pointsInterval(difference?.interval ?? null)}</td>
              <td class="n">${difference?.values.length ?? 0}</td>
              <td class="${change === 'easier' ? 'fail' : change === 'harder' ? 'pass' : 'w'}">
                ${WORDS[change]}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

const trainedBy = ({ features, defence }: StudyReport['combinations'][number]): string =>
  defence === undefined ? features : `${features}, ${defence}`;

const COLUMNS = [
  ['Vulnerability', 'vulnerability'],
  ['Clean accuracy', 'accuracy'],
  ['Clean AUC', 'auc'],
  ['Robust AUC', 'robustAuc'],
  ['Facet only', 'facet'],
  ['SFA', 'sfa'],
  ['Control', 'control'],
  ['Gain', 'gain'],
] as const;

const combinations = ({ combinations }: StudyReport): Html =>
  scroll(
    'Every backbone with every set of features',
    html`<table class="plain">
      <thead>
        <tr>
          <th scope="col">Backbone</th>
          <th scope="col">Features</th>
          ${COLUMNS.map(([name]) => html`<th scope="col" class="n">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${combinations.map(
          (one) =>
            html`<tr>
              <th scope="row">${one.backbone}</th>
              <td>${trainedBy(one)}</td>
              ${COLUMNS.map(([, key]) => estimated(one[key]))}
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

/** The same report gives the same bytes. */
export function renderStudyHtml(report: StudyReport): string {
  const { study, attack, networks, notes, provenance } = report;
  const { train, test } = study.dataset.samples;
  const epsilons = attack.epsilons.map(epsilonText).join(', ');
  return htmlDocument({
    title: html`Study ${study.name}: which backbone, which auxiliary feature`,
    header: html`
      <h1>Which backbone, which auxiliary feature?</h1>
      <p class="summary">${studyFindings(report).join(' ')}</p>
      ${remarks(notes)}
    `,
    main: html`
      ${section(
        'features',
        'Which auxiliary feature',
        html`<p class="lead">
          Difference of vulnerability from the same backbone trained with the same seed and no auxiliary
          feature. Negative is harder to attack.
        </p>`,
        effects('Auxiliary features', 'Features', report.features),
      )}
      ${section(
        'backbones',
        'Which backbone',
        html`<p class="lead">
          Difference of vulnerability from the mean of all backbones with the same features and seed.
        </p>`,
        effects('Backbones', 'Backbone', report.backbones),
      )}
      ${section(
        'combinations',
        'All combinations, hardest to attack first',
        html`<p class="lead">
          Vulnerability is the area under success of ${attack.search} on the decision over ${epsilons}, in
          percent; robust AUC is that at the smallest epsilon, at which networks compare whatever their
          threshold. Facet only, SFA, control and gain are means over a network's auxiliary facets. Under each
          mean stands its 95 % interval over seeds (Student's t).
        </p>`,
        combinations(report),
      )}
      ${defencesSection(report)}
      ${section(
        'provenance',
        'Provenance',
        html`<dl class="terms">
          <dt>Networks</dt>
          <dd>
            ${networks.length}, seeds ${study.seeds.join(', ')}; ${train} train and ${test} test faces of
            ${study.dataset.size} pixels, ${study.recipe.epochs} epochs
          </dd>
          ${madeWith(provenance)}
        </dl>`,
      )}
    `,
    facet: provenance.facet,
    figures: 'study.json',
  });
}

/** The combinations, and the answer in words. */
export function renderStudyTable(report: StudyReport): string {
  const cell = (estimate: Estimate | null): string => {
    if (estimate === null) return UNDEFINED;
    const half = estimate.interval === null ? '' : ` ±${percentage(estimate.interval[1] - estimate.mean)}`;
    return `${percentage(estimate.mean)}${half}`;
  };
  const names = ['backbone', 'features', ...COLUMNS.map(([name]) => name.toLowerCase())];
  const rows = report.combinations.map((one) => [
    one.backbone,
    trainedBy(one),
    ...COLUMNS.map(([, key]) => cell(one[key])),
  ]);
  const widths = names.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (i < 2 ? text.padEnd(widths[i]) : text.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [line(names), ...rows.map(line), '', ...defencesTable(report), ...studyFindings(report)].join('\n');
}
