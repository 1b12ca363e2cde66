/**
 * The report as one HTML file that stands alone: it holds no script and asks for nothing from anywhere, which its
 * own content policy enforces. The same report and pictures give the same bytes.
 */
import { formatRef, type Report } from '@facet/contracts';
import type { Picture } from '../picture.js';
import { viewOf } from '../view.js';
import { htmlDocument } from './document.js';
import { html } from './html.js';
import { baseline } from './sections/baseline.js';
import { clean } from './sections/clean.js';
import { curves } from './sections/curves.js';
import { directions } from './sections/directions.js';
import { gains } from './sections/gains.js';
import { glossary } from './sections/glossary.js';
import { people, species } from './sections/groups.js';
import { header } from './sections/header.js';
import { heatmap } from './sections/heatmap.js';
import { notes } from './sections/notes.js';
import { provenance } from './sections/provenance.js';
import { ranking } from './sections/ranking.js';
import { summary } from './sections/summary.js';
import { worst } from './sections/worst.js';

/** Renders `report`, which must have passed its schema, as a page; `pictures` are shown in their order. */
export async function renderHtml(report: Report, pictures: readonly Picture[]): Promise<string> {
  const view = viewOf(report);
  const sections = [
    { id: 'success', name: 'Success', body: heatmap(view) },
    { id: 'curves', name: 'Curves', body: await curves(view) },
    { id: 'gains', name: 'Prior', body: gains(view) },
    { id: 'ranking', name: 'Ranking', body: ranking(view) },
    { id: 'baseline', name: 'Baseline', body: baseline(view) },
    { id: 'clean', name: 'Without attack', body: clean(view) },
    { id: 'directions', name: 'Directions', body: directions(view) },
    { id: 'species', name: 'Species', body: species(view) },
    { id: 'groups', name: 'Groups', body: people(view) },
    { id: 'worst', name: 'Worst cases', body: worst(view, pictures) },
    { id: 'reading', name: 'How to read it', body: glossary() },
    { id: 'provenance', name: 'Provenance', body: provenance(view) },
  ].filter(({ body }) => body !== undefined);
  return htmlDocument({
    title: html`${formatRef(report.model)} on ${formatRef(report.dataset)}: Facet report`,
    images: 'data:',
    header: html`
      ${header(view)} ${summary(view)} ${notes(view)}
      <nav aria-label="Sections">
        <ul>
          ${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}
        </ul>
      </nav>
    `,
    main: html`${sections.map(({ body }) => body)}`,
    facet: report.provenance.facet,
    figures: 'report.json',
  });
}
