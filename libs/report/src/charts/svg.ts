/**
 * From a Vega-Lite specification to SVG pictures, drawn here: no canvas, no browser, nothing loaded. The same
 * specification and data give the same bytes, however many pictures were drawn before.
 */
import { Error as ERRORS_ONLY, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** What a specification calls the data that each picture brings along. */
export const DATA = 'points';

/**
 * Draws one picture of `points`. `id` must be unique among the pictures of a page: every id in the picture starts
 * with it, since Vega numbers its ids per process and they would clash or change from call to call.
 */
export type Draw = (points: readonly object[], id: string) => Promise<string>;

/**
 * Prepares `spec`, whose data is named {@link DATA}, once for many pictures. A picture says nothing to screen
 * readers; who places it says what it shows.
 */
export function drawing(spec: TopLevelSpec): Draw {
  const { spec: compiled } = compile({ ...spec, config: { ...spec.config, aria: false } });
  const prepared = parse(compiled);
  return async (points, id) => {
    const view = new View(prepared, { renderer: 'none', logLevel: ERRORS_ONLY });
    try {
      const picture = await view.data(DATA, [...points]).toSVG();
      return withOwnIds(picture, id);
    } finally {
      view.finalize();
    }
  };
}

function withOwnIds(picture: string, prefix: string): string {
  const names = new Map<string, string>();
  for (const [, old] of picture.matchAll(/\bid="([^"]*)"/g)) names.set(old, `${prefix}-${names.size}`);
  return picture
    .replace(/\bid="([^"]*)"/g, (_, old: string) => `id="${names.get(old)}"`)
    .replace(/url\(#([^)]*)\)/g, (all, old: string) => (names.has(old) ? `url(#${names.get(old)})` : all))
    .replace(/href="#([^"]*)"/g, (all, old: string) => (names.has(old) ? `href="#${names.get(old)}"` : all));
}
