/**
 * HTML that escapes by default: whatever is put into a template is text unless it came from {@link html} or
 * {@link trusted}. Nothing else in this package writes markup for the page.
 */

export class Html {
  constructor(readonly markup: string) {}
}

/** What a template takes; null, undefined and false leave nothing behind. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters, which HTML forbids even as references, and lone surrogates, which UTF-8 cannot carry. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\p{Cs}/gu;

/** Safe in element content and in quoted attributes. */
export const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character]).replace(FORBIDDEN, '\ufffd');

function markupOf(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'string') return escape(part);
  if (typeof part === 'number') return String(part);
  return part.map(markupOf).join('');
}

/** Markup with `parts` filled in. The template's own line breaks lose their indentation, the parts keep theirs. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(
    strings
      .map((string) => string.replace(/\n\s+/g, '\n'))
      .reduce((text, string, i) => text + markupOf(parts[i - 1]) + string),
  );

/** Markup that this package made itself: a style sheet, a drawn chart. Never anything that came from outside. */
export const trusted = (markup: string): Html => new Html(markup);

/** Text from outside, kept from turning the direction of what stands around it. */
export const foreign = (text: string): Html => html`<bdi>${text}</bdi>`;
