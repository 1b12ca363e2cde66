import { describe, expect, it } from 'vitest';
import { contrast, DARK, HEAT_RULES, heatStep, LIGHT, textOn, variables } from './palette.js';

const TEXT = 4.5;
const GRAPHIC = 3;

describe.each([
  ['light', LIGHT],
  ['dark', DARK],
])('the %s theme', (_, { colours, heat }) => {
  it.each(['ink', 'quiet', 'link', 'pass', 'fail'])('reads %s on paper and panels (WCAG AA)', (name) => {
    expect(contrast(colours[name], colours.paper)).toBeGreaterThanOrEqual(TEXT);
    expect(contrast(colours[name], colours.panel)).toBeGreaterThanOrEqual(TEXT);
  });

  it.each(['ink', 'mind'])('reads %s on the panel of notes', (name) => {
    expect(contrast(colours[name], colours['mind-panel'])).toBeGreaterThanOrEqual(TEXT);
  });

  it.each(['direct', 'facet', 'sfa', 'prior-only', 'control'])('shows the curve of %s', (name) => {
    expect(contrast(colours[name], colours.paper)).toBeGreaterThanOrEqual(GRAPHIC);
  });

  it.each(heat)('reads figures on %s', (background) => {
    expect(contrast(textOn(background), background)).toBeGreaterThanOrEqual(TEXT);
  });

  it('moves away from the paper with every step of heat', () => {
    const distances = heat.map((step) => contrast(step, colours.paper));
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });
});

it('measures contrast as WCAG does', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 10);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.478, 3);
});

it('has the same names and steps in both themes, and a rule for each step', () => {
  expect(Object.keys(DARK.colours)).toEqual(Object.keys(LIGHT.colours));
  expect(DARK.heat).toHaveLength(LIGHT.heat.length);
  LIGHT.heat.forEach((_, i) => {
    expect(HEAT_RULES).toContain(`.h${i}{`);
    expect(variables(DARK)).toContain(`--h${i}:${DARK.heat[i]}`);
  });
});

it.each([
  [0, 0],
  [0.0999, 0],
  [0.1, 1],
  [0.3, 3],
  [0.7, 7],
  [0.999, 9],
  [1, 10],
])('takes a rate of %d to heat step %d', (rate, step) => {
  expect(heatStep(rate)).toBe(step);
});
