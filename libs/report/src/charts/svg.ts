/**
 * From a Vega-Lite specification to an SVG picture, drawn here: no canvas, no browser, nothing loaded. The same
 * specification gives the same bytes, however many charts were drawn before.
 */
import { Error as ERRORS_ONLY, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/**
 * Draws `spec`. `id` must be unique among the charts of a page: every id in the picture starts with it, since Vega
 * numbers its ids per process and they would clash or change from call to call. The picture says nothing to screen
 * readers; who places it says what it shows.
 */
export async function svg(spec: TopLevelSpec, id: string): Promise<string> {
  const { spec: compiled } = compile({ ...spec, config: { ...spec.config, aria: false } });
  const view = new View(parse(compiled), { renderer: 'none', logLevel: ERRORS_ONLY });
  try {
    return withOwnIds(await view.toSVG(), id);
  } finally {
    view.finalize();
  }
}

function withOwnIds(picture: string, prefix: string): string {
  const names = new Map<string, string>();
  for (const [, old] of picture.matchAll(/\bid="([^"]*)"/g)) names.set(old, `${prefix}-${names.size}`);
  return picture
    .replace(/\bid="([^"]*)"/g, (_, old: string) => `id="${names.get(old)}"`)
    .replace(/url\(#([^)]*)\)/g, (all, old: string) => (names.has(old) ? `url(#${names.get(old)})` : all))
    .replace(/href="#([^"]*)"/g, (all, old: string) => (names.has(old) ? `href="#${names.get(old)}"` : all));
}
