/** A hardening's report as one HTML file that stands alone, and as a table for the terminal. */
import type { HardeningReport } from '@facet/contracts';
import { epsilonText, percentage, points, pointsInterval, scalar, UNDEFINED } from '../format.js';
import { htmlDocument } from '../html/document.js';
import { html, type Html } from '../html/html.js';
import { madeWith, remarks, scroll, section } from '../html/parts.js';

type Split = HardeningReport['splits'][number];

const NAMES: Readonly<Record<Split['name'], string>> = {
  test: 'Clean test split',
  shifted: 'Under another camera',
};

interface Row {
  readonly what: string;
  readonly parent: number | null;
  readonly hardened: number | null;
}

function rowsOf({ clean: { parent, hardened }, attacks }: Split): Row[] {
  const unseen = Object.keys(parent.unseenApcer);
  return [
    { what: 'AUC', parent: parent.auc, hardened: hardened.auc },
    { what: 'accuracy', parent: parent.accuracy, hardened: hardened.accuracy },
    { what: 'APCER, worst species', parent: parent.apcer, hardened: hardened.apcer },
    { what: 'BPCER', parent: parent.bpcer, hardened: hardened.bpcer },
    ...unseen.map((species) => ({
      what: `APCER, ${species} (unseen in training)`,
      parent: parent.unseenApcer[species] ?? null,
      hardened: hardened.unseenApcer[species] ?? null,
    })),
    ...attacks.flatMap(({ facet, objective, search, epsilon, ...one }) => {
      const attack = `${facet === 'live' ? '' : `${facet} `}${objective} ${search} ${epsilonText(epsilon)}`;
      return [
        { what: `success of ${attack}`, parent: one.parent.success, hardened: one.hardened.success },
        { what: `AUC under ${attack}`, parent: one.parent.robustAuc, hardened: one.hardened.robustAuc },
      ];
    }),
  ];
}

const difference = ({ parent, hardened }: Row): number | null =>
  parent === null || hardened === null ? null : hardened - parent;

/** The answer in words. */
export function hardeningFindings({ splits }: HardeningReport): string[] {
  return splits.flatMap(({ name, aucChange, attacks }) => {
    const direct = attacks
      .filter(({ objective }) => objective === 'direct')
      .sort((a, b) => a.epsilon - b.epsilon);
    const attack = direct.at(Math.floor((direct.length - 1) / 2));
    const success =
      attack === undefined
        ? ''
        : `success of ${attack.objective} ${attack.search} at ${epsilonText(attack.epsilon)} ${percentage(attack.parent.success)} -> ${percentage(attack.hardened.success)} %, `;
    return [
      `${NAMES[name]}: ${success}AUC ${scalar(aucChange.baseline)} -> ${scalar(aucChange.current)} (${pointsInterval(aucChange.interval)} points).`,
    ];
  });
}

const table = (split: Split): Html =>
  scroll(
    NAMES[split.name],
    html`<table class="plain">
      <thead>
        <tr>
          <th scope="col">Figure, %</th>
          <th scope="col" class="n">Before</th>
          <th scope="col" class="n">Hardened</th>
          <th scope="col" class="n">Difference, points</th>
        </tr>
      </thead>
      <tbody>
        ${rowsOf(split).map(
          (row) =>
            html`<tr>
              <th scope="row">${row.what}</th>
              <td class="n">${percentage(row.parent)}</td>
              <td class="n">${percentage(row.hardened)}</td>
              <td class="n"><b>${points(difference(row))}</b></td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

const history = ({ history: { epochs, best } }: HardeningReport): Html => {
  const losses = Object.keys(epochs[0]?.losses ?? {});
  return scroll(
    'Training',
    html`<table class="plain">
      <thead>
        <tr>
          <th scope="col">Epoch</th>
          <th scope="col" class="n">Epsilon</th>
          ${losses.map((name) => html`<th scope="col" class="n">Loss ${name}</th>`)}
          <th scope="col" class="n">Dev AUC</th>
          <th scope="col" class="n">under attack</th>
        </tr>
      </thead>
      <tbody>
        ${epochs.map(
          (one) =>
            html`<tr>
              <th scope="row">${one.epoch}${one.epoch === best ? ' (published)' : ''}</th>
              <td class="n">${one.epsilon === null ? UNDEFINED : epsilonText(one.epsilon)}</td>
              ${losses.map((name) => html`<td class="n">${scalar(one.losses[name] ?? null)}</td>`)}
              <td class="n">${scalar(one.validation?.auc ?? null)}</td>
              <td class="n">${scalar(one.validation?.robustAuc ?? null)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
};

/** The same report gives the same bytes. */
export function renderHardeningHtml(report: HardeningReport): string {
  const { parent, hardened, splits, notes, provenance, recipe } = report;
  return htmlDocument({
    title: html`Hardening of ${parent.name}@${parent.version}`,
    header: html`
      <h1>${parent.name}@${parent.version} before and after hardening</h1>
      <p class="summary">${hardeningFindings(report).join(' ')}</p>
      ${remarks(notes)}
    `,
    main: html`
      ${splits.map((split) =>
        section(
          split.name,
          NAMES[split.name],
          html`<p class="lead">
            ${split.dataset.name}@${split.dataset.version}. Rates at each model's threshold of equal error on
            the clean ${split.thresholdSplit ?? 'test'} split of this dataset; success is the share of right
            decisions that the attack turns. AUC: ${points(split.aucChange.delta)} points,
            ${pointsInterval(split.aucChange.interval)} (95 %, paired by sample).
          </p>`,
          table(split),
        ),
      )}
      ${section('training', 'Training', html`<p class="lead">Losses are means over an epoch.</p>`, history(report))}
      ${section(
        'provenance',
        'Provenance',
        html`<dl class="terms">
          <dt>Before</dt>
          <dd>${parent.name}@${parent.version}, SHA-256 ${parent.sha256}</dd>
          <dt>Hardened</dt>
          <dd>${hardened.name}@${hardened.version}, SHA-256 ${hardened.sha256}</dd>
          <dt>Recipe</dt>
          <dd><code>${JSON.stringify(recipe)}</code></dd>
          ${madeWith(provenance)}
        </dl>`,
      )}
    `,
    facet: provenance.facet,
    figures: 'harden.json',
  });
}

/** Both splits, and the answer in words. */
export function renderHardeningTable(report: HardeningReport): string {
  const lines = report.splits.flatMap((split) => {
    const rows = rowsOf(split);
    const width = Math.max(...rows.map(({ what }) => what.length));
    const line = (row: Row): string =>
      `${row.what.padEnd(width)}  ${percentage(row.parent).padStart(6)}  ${percentage(row.hardened).padStart(8)}  ${points(difference(row)).padStart(6)}`;
    return [`${NAMES[split.name].padEnd(width)}  before  hardened  points`, ...rows.map(line), ''];
  });
  return [...lines, ...hardeningFindings(report)].join('\n');
}
