/** Which way decisions flip, and what is left of the detector: the two directions mean different harm. */
import type { CellReport } from '@facet/contracts';
import { counted, epsilonText } from '../../format.js';
import type { Block, View } from '../../view.js';
import { grid, type GridCell } from '../grid.js';
import { html, type Html } from '../html.js';
import { section } from '../parts.js';

type Columns = readonly { readonly name: string; readonly cell: (cell: CellReport) => GridCell }[];

const flipped =
  (direction: 'spoofAsLive' | 'liveAsSpoof', words: string) =>
  (cell: CellReport): GridCell => {
    const { attempted, succeeded, rate } = cell.directions[direction];
    return { rate, title: `${succeeded} of ${counted(attempted, words)}`, heat: true };
  };

const DIRECTIONS: Columns = [
  { name: 'let in', cell: flipped('spoofAsLive', 'rejected spoof') },
  { name: 'locked out', cell: flipped('liveAsSpoof', 'accepted live sample') },
];

const ROBUST: Columns = [
  { name: 'APCER', cell: ({ robustApcer: rate }) => ({ rate, title: 'of the worst species', heat: false }) },
  { name: 'BPCER', cell: ({ robustBpcer: rate }) => ({ rate, title: 'live samples rejected', heat: false }) },
  { name: 'AUC', cell: ({ robustAuc: rate }) => ({ rate, title: 'area under ROC, in %', heat: false }) },
];

export const directions = ({ blocks, reference }: View): Html | undefined =>
  reference &&
  section(
    'directions',
    'Let in, or locked out',
    html`<p class="lead">
      Success by direction, in percent. <em>Let in</em>: a spoof is accepted as live, which is the breach.
      <em>Locked out</em>: a live person is rejected, which is denial of service.
    </p>`,
    table(reference, 'Success by direction', DIRECTIONS),
    html`<h3>What is left of the detector</h3>
      <p class="lead">
        Error rates at the frozen threshold and AUC over all samples, each at the worse of its clean and
        attacked score, in percent. Compare models by AUC: robust error rates reward a model that says "live"
        more often.
      </p>`,
    table(reference, 'Detector under attack', ROBUST),
    blocks
      .filter((block) => block !== reference)
      .map(
        (block) =>
          html`<details>
            <summary>The same for ${block.title}</summary>
            ${table(block, 'Success by direction', DIRECTIONS)}
            ${table(block, 'Detector under attack', ROBUST)}
          </details>`,
      ),
  );

const table = (block: Block, title: string, columns: Columns): Html =>
  grid({
    label: `${title}, ${block.title}`,
    caption: html`<b>${block.title}</b>, ${title.toLowerCase()}, in %`,
    rows: block.rows,
    groups: block.epsilons.map((epsilon) => ({
      heading: epsilonText(epsilon),
      columns: columns.map(({ name }) => name),
    })),
    cell: (row, group, column) => {
      const cell = block.cell(row, block.epsilons[group]);
      return cell && columns[column].cell(cell);
    },
  });
