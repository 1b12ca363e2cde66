/** Colours of the page in light and in dark, as CSS variables. Contrasts are held by palette.test.ts (WCAG 2, AA). */

export interface Theme {
  readonly colours: Readonly<Record<string, string>>;
  /** Attack success in eleven steps, 0-10 % to 100 %. */
  readonly heat: readonly string[];
}

export const LIGHT: Theme = {
  colours: {
    paper: '#faf9f6',
    panel: '#ffffff',
    ink: '#1b1c20',
    quiet: '#5b5e67',
    line: '#e2dfd8',
    link: '#1f5a94',
    pass: '#1a6b43',
    fail: '#a8231b',
    mind: '#7a4b00',
    'mind-panel': '#fdf3df',
    direct: '#1b1c20',
    facet: '#2468ab',
    sfa: '#c0431a',
    'prior-only': '#82479b',
    control: '#75777f',
    'all-facets': '#0d6e6a',
  },
  heat: [
    '#f6f3ed',
    '#fbe8d3',
    '#fbd8b4',
    '#f8c493',
    '#f4ae75',
    '#ec9459',
    '#e07a43',
    '#bf4a28',
    '#a93420',
    '#90211b',
    '#741219',
  ],
};

export const DARK: Theme = {
  colours: {
    paper: '#131418',
    panel: '#1b1d22',
    ink: '#ebe9e4',
    quiet: '#a6a9b2',
    line: '#32353d',
    link: '#8fbdf0',
    pass: '#67d29d',
    fail: '#ff9188',
    mind: '#f0c36d',
    'mind-panel': '#2a2418',
    direct: '#ebe9e4',
    facet: '#78b0ea',
    sfa: '#ff925f',
    'prior-only': '#cd9ae4',
    control: '#8d9099',
    'all-facets': '#5cc7bf',
  },
  heat: [
    '#24262c',
    '#38291f',
    '#50301f',
    '#69371f',
    '#834021',
    '#9c4a24',
    '#d0693a',
    '#e28150',
    '#f09c6d',
    '#f9ba92',
    '#ffd8bc',
  ],
};

const DARK_TEXT = '#0f0d0c';
const LIGHT_TEXT = '#ffffff';

/** Relative luminance of #rrggbb (WCAG 2). */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio of two colours, 1 to 21 (WCAG 2). */
export function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** The text colour that reads better on `background`. */
export const textOn = (background: string): string =>
  contrast(background, DARK_TEXT) >= contrast(background, LIGHT_TEXT) ? DARK_TEXT : LIGHT_TEXT;

/** Which heat step a rate takes, 0 to 10; only a full rate takes the last. */
export const heatStep = (rate: number): number => Math.floor(rate * 10 + 1e-9);

/** The declarations of a theme's variables. */
export function variables({ colours, heat }: Theme): string {
  const named = Object.entries(colours).map(([name, value]) => `--${name}:${value}`);
  const steps = heat.flatMap((value, i) => [`--h${i}:${value}`, `--t${i}:${textOn(value)}`]);
  return [...named, ...steps].join(';');
}

export const HEAT_RULES = LIGHT.heat
  .map((_, i) => `.h${i}{background:var(--h${i});color:var(--t${i})}`)
  .join('');
