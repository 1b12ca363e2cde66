/** Success against epsilon, a small chart per facet on shared axes. The tables hold the same numbers as text. */
import { OBJECTIVES, type ObjectiveName } from '@facet/contracts';
import { colourOf, curveChart, curvePoints, curveRows, STYLES } from '../../charts/curves.js';
import { drawing } from '../../charts/svg.js';
import { epsilonText, percent } from '../../format.js';
import { type Block, byFacet, type View } from '../../view.js';
import { html, type Html, trusted } from '../html.js';
import { section } from '../parts.js';

export async function curves({ blocks }: View): Promise<Html | undefined> {
  if (blocks.length === 0) return undefined;
  const drawn: Html[] = [];
  for (const [i, block] of blocks.entries()) drawn.push(await charts(block, `curves-${i}`));
  const present = new Set(blocks.flatMap(({ rows }) => rows.map(({ objective }) => objective)));
  return section(
    'curves',
    'Success against epsilon',
    html`<p class="lead">
      All charts of a search share their axes; the band is the 95 % interval. The direct attack on the
      decision is drawn beside every facet; a facet that lies well above it hints that the decision's own
      gradient is masked.
    </p>`,
    html`<ul class="legend">
      ${OBJECTIVES.filter((objective) => present.has(objective)).map(
        (objective) => html`<li>${swatch(objective)}${objective}</li>`,
      )}
    </ul>`,
    drawn,
  );
}

async function charts(block: Block, id: string): Promise<Html> {
  const draw = drawing(curveChart(block));
  const figures: Html[] = [];
  for (const [i, { facet }] of byFacet(block.rows).entries()) {
    const picture = await draw(curvePoints(block, facet), `${id}-${i}`);
    figures.push(
      html`<figure>
        <figcaption><b>${facet}</b></figcaption>
        <div role="img" aria-label="${inWords(block, facet)}">${trusted(picture)}</div>
      </figure>`,
    );
  }
  return html`<h3>${block.title}</h3>
    <div class="charts">${figures}</div>`;
}

/** The chart for who cannot see it: "sfa: 1/255 66.8 %, 2/255 93.1 %; ...". */
function inWords(block: Block, facet: string): string {
  const lines = curveRows(block, facet).map((row) => {
    const points = block.epsilons.flatMap((epsilon) => {
      const cell = block.cell(row, epsilon);
      return cell === undefined ? [] : [`${epsilonText(epsilon)} ${percent(cell.attackSuccessRate)}`];
    });
    return `${row.objective}: ${points.join(', ')}`;
  });
  return `Attack success of ${facet}, ${block.title}. ${lines.join('; ')}`;
}

const MARKS: Readonly<Record<string, string>> = {
  circle: 'M17 4.5a3.5 3.5 0 1 0 .01 0z',
  square: 'M14 5h6v6h-6z',
  'triangle-up': 'M17 4l4 7h-8z',
  diamond: 'M17 3.5l3.5 4.5-3.5 4.5-3.5-4.5z',
  cross: 'M16 4h2v3h3v2h-3v3h-2v-3h-3v-2h3z',
};

function swatch(objective: ObjectiveName): Html {
  const { shape, dash } = STYLES[objective];
  const colour = colourOf(objective);
  return html`<svg width="34" height="16" viewBox="0 0 34 16" aria-hidden="true">
    <path d="M0 8h34" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash.join(' ')}" />
    <path d="${MARKS[shape]}" fill="${colour}" />
  </svg>`;
}
