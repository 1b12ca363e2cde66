/** The frame of every page: one HTML file that stands alone, which its own content policy enforces. */
import { html, type Part, trusted } from './html.js';
import { STYLE } from './style.js';

export interface Document {
  readonly title: Part;
  /** What the policy lets a page show beside its own styles: nothing, unless it holds pictures as data. */
  readonly images?: 'data:';
  readonly header: Part;
  readonly main: Part;
  /** Facet's version. */
  readonly facet: string;
  /** The file with the same figures for programs. */
  readonly figures: string;
}

/** The page's markup. The same parts give the same bytes. */
export function htmlDocument({ title, images, header, main, facet, figures }: Document): string {
  const policy = [
    "default-src 'none'",
    ...(images === undefined ? [] : [`img-src ${images}`]),
    "style-src 'unsafe-inline'",
  ];
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${trusted(STYLE)}
        </style>
      </head>
      <body>
        <header class="top">${header}</header>
        <main>${main}</main>
        <footer>Facet ${facet}. Figures for machines stand in ${figures}.</footer>
      </body>
    </html> `.markup;
}
