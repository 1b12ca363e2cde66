/** The part of a study's report on adversarial trainings: what each costs on clean images and what it buys under attack. */
import type { Estimate, StudyDefence, StudyReport } from '@facet/contracts';
import { epsilonText, percent, percentage, UNDEFINED } from '../format.js';
import { html, type Html, type Part } from '../html/html.js';
import { scroll, section } from '../html/parts.js';

interface Column {
  readonly title: string;
  readonly of: (defence: StudyDefence) => Estimate | null;
}

function columnsOf({ defences: [first] }: StudyReport): Column[] {
  return [
    { title: 'Clean AUC', of: ({ clean }) => clean },
    { title: 'Shifted', of: ({ shifted }) => shifted },
    { title: 'Unseen species', of: ({ unseen }) => unseen },
    ...first.attacked.flatMap(({ epsilon }, i): Column[] => [
      { title: `AUC at ${epsilonText(epsilon)}`, of: ({ attacked }) => attacked.at(i)?.auc ?? null },
      { title: `Success at ${epsilonText(epsilon)}`, of: ({ attacked }) => attacked.at(i)?.success ?? null },
    ]),
    { title: 'SFA', of: ({ sfa }) => sfa },
  ];
}

/** Half of the 95 % interval over seeds. */
const spread = ({ mean, interval }: Estimate): string =>
  interval === null ? '' : ` ±${percentage(interval[1] - mean)}`;

const cell = (estimate: Estimate | null): Html =>
  estimate === null
    ? html`<td class="n">${UNDEFINED}</td>`
    : html`<td class="n">${percent(estimate.mean)} <small>${spread(estimate)}</small></td>`;

const nameOf = ({ defence, efficient }: StudyDefence): string => `${defence}${efficient ? ' *' : ''}`;

/** Nothing where the study compared none. */
export function defencesSection(report: StudyReport): Part {
  const { defences, attack } = report;
  if (defences.length === 0) return undefined;
  const columns = columnsOf(report);
  return section(
    'defences',
    'Adversarial trainings',
    html`<p class="lead">
      AUC on the clean test split, under another camera, against species that were not trained on, and under
      ${attack.search} on the decision; success of that attack, and of SFA on the facets, at each network's
      threshold of equal error on the clean dev split. Means over seeds, with half of their 95 % interval
      (Student's t). *: no other training has a higher mean AUC on clean images and at every epsilon.
    </p>`,
    scroll(
      'Adversarial trainings',
      html`<table class="plain">
        <thead>
          <tr>
            <th scope="col">Training</th>
            <th scope="col">Network</th>
            ${columns.map(({ title }) => html`<th scope="col" class="n">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${defences.map(
            (one) =>
              html`<tr>
                <th scope="row">${nameOf(one)}</th>
                <td>${one.backbone}, ${one.features}</td>
                ${columns.map(({ of }) => cell(of(one)))}
              </tr>`,
          )}
        </tbody>
      </table>`,
    ),
  );
}

/** For the terminal; no lines where the study compared none. */
export function defencesTable(report: StudyReport): string[] {
  const { defences } = report;
  if (defences.length === 0) return [];
  const columns = columnsOf(report);
  const rows = [
    ['training', 'backbone', 'features', ...columns.map(({ title }) => title.toLowerCase())],
    ...defences.map((one) => [
      nameOf(one),
      one.backbone,
      one.features,
      ...columns.map(({ of }) => {
        const estimate = of(one);
        return estimate === null ? UNDEFINED : `${percentage(estimate.mean)}${spread(estimate)}`;
      }),
    ]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row.map((text, i) => (i < 3 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '),
  );
  return [...lines, '* no other has a higher mean AUC on clean images and at every epsilon', ''];
}
