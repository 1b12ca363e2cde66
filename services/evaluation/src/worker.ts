/** Judges and renders off the event loop. */
import type { Report } from '@facet/contracts';
import { type Picture, renderHtml } from '@facet/report';
import { serveTasks } from '@facet/threads';
import { figuresOf, type FiguresInput } from './figures.js';

serveTasks({
  figures: (input) => figuresOf(input as FiguresInput),
  html: (input) => {
    const { report, pictures } = input as { report: Report; pictures: Picture[] };
    return renderHtml(report, pictures);
  },
});
