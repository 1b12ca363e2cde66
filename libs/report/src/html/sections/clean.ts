/** The model on images that nobody attacked (ISO/IEC 30107-3), and the threshold that every figure stands on. */
import type { CleanReport } from '@facet/contracts';
import { intervalText, percent, scalar } from '../../format.js';
import { sorted, type View } from '../../view.js';
import { foreign, html, type Html } from '../html.js';
import { scroll, section } from '../parts.js';

const SOURCES: Readonly<Record<CleanReport['thresholdSource'], string>> = {
  'dev-eer': 'The threshold was set at the equal error rate on the dev split, and frozen.',
  manifest: "The threshold comes from the model's manifest.",
  boundary: "The threshold is the model's own decision boundary, since no dev split set another.",
};

export const clean = ({ report: { clean } }: View): Html =>
  section(
    'clean',
    'Without attack',
    html`<p class="lead">
      ${clean.live} live and ${clean.spoof} spoof samples of the test split. A sample is taken for live from a
      score of ${scalar(clean.threshold)} on. ${SOURCES[clean.thresholdSource]} The same threshold judges
      every attacked image.
    </p>`,
    html`<dl class="figures">
      ${figures(clean).map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`,
    clean.aucInterval && html`<p>95 % interval of the AUC: ${intervalText(clean.aucInterval)}.</p>`,
    clean.calibrated && calibrated(clean.calibrated),
    Object.keys(clean.apcerBySpecies).length > 0 && bySpecies(clean),
  );

const figures = (clean: CleanReport): [string, string][] => [
  ['Accuracy', percent(clean.accuracy)],
  ['APCER, worst species', percent(clean.apcer)],
  ['BPCER', percent(clean.bpcer)],
  ['ACER (legacy)', percent(clean.acer)],
  ['HTER', percent(clean.hter)],
  ['EER', percent(clean.eer)],
  ['AUC', percent(clean.auc, 2)],
  ['BPCER10', percent(clean.bpcer10)],
  ['BPCER20', percent(clean.bpcer20)],
  ['BPCER100', percent(clean.bpcer100)],
  ...Object.entries(clean.tprAtFpr)
    .sort(([a], [b]) => Number(b) - Number(a))
    .map(([fpr, tpr]): [string, string] => [`TPR at FPR ${fpr}`, percent(tpr)]),
];

const calibrated = ({
  threshold,
  split,
  accuracy,
  apcer,
  bpcer,
}: NonNullable<CleanReport['calibrated']>): Html =>
  html`<p>
    To compare models: at equal error on its own clean ${split} split, a score of ${scalar(threshold)}, it has
    an accuracy of ${percent(accuracy)}, an APCER of ${percent(apcer)} and a BPCER of ${percent(bpcer)}.
  </p>`;

const bySpecies = ({ apcerBySpecies }: CleanReport): Html =>
  scroll(
    'Clean APCER by species',
    html`<table class="plain">
      <caption>
        APCER by species: spoofs taken for live
      </caption>
      <thead>
        <tr>
          <th scope="col">Species</th>
          <th scope="col" class="n">Samples</th>
          <th scope="col" class="n">APCER</th>
        </tr>
      </thead>
      <tbody>
        ${sorted(Object.keys(apcerBySpecies)).map(
          (species) =>
            html`<tr>
              <th scope="row">${foreign(species)}</th>
              <td class="n">${apcerBySpecies[species].samples}</td>
              <td class="n">${percent(apcerBySpecies[species].apcer)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
