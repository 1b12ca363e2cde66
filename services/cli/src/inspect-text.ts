/** An inspection for people: compact, aligned, at most {@link WIDTH} columns but for long names. */
import type { Gradability, Inspection, Obstacle, TensorFacts } from '@facet/engine';
import { stringify } from 'yaml';
import type { InspectionDocument, LikelyManifest } from './inspect.js';

const WIDTH = 96;
/** Width of the labels on the left. */
const LABEL = 16;

const dimsText = (dims: readonly (number | string)[]): string => `[${dims.join(', ')}]`;
const row = (label: string, text: string): string => `  ${label.padEnd(LABEL)}${text}`;

/** Words in lines of the width that is left behind a label. */
function wrapped(label: string, words: readonly string[], separator: string): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]}${separator}${word}`;
    if (lines.length > 0 && longer.length <= WIDTH - LABEL) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, i) => row(i === 0 ? label : '', line));
}

const sentence = (label: string, text: string): string[] => wrapped(label, text.split(' '), ' ');

/** 210.6 million */
function large(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} billion`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} million`;
  return count.toLocaleString('en');
}

const tensorRow = (label: string, { name, type, dims }: TensorFacts): string =>
  row(label, `${name}  ${type} ${dimsText(dims)}`);

function obstacleText({ where, operator, problem }: Obstacle): string {
  const place = operator === null ? where : `node "${where}" (${operator})`;
  return place === null ? problem : `${place}: ${problem}`;
}

function factLines(document: InspectionDocument): string[] {
  const { opset, irVersion, producer, inputs, outputs, batch, parameters, flops, operators } = document;
  const nodes = operators.reduce((sum, { count }) => sum + count, 0);
  return [
    row('opset', `${opset}, IR ${irVersion}${producer === '' ? '' : `, written by ${producer}`}`),
    ...inputs.map((value) => tensorRow('input', value)),
    ...outputs.map((value) => tensorRow('output', value)),
    row('batch', batch.kind === 'static' ? `static, ${batch.size}` : `symbolic, "${batch.size}"`),
    row('parameters', large(parameters)),
    row('FLOPs', flops === null ? 'unknown' : `${large(flops)} at batch 1`),
    row('operators', `${nodes} nodes`),
    ...wrapped(
      '',
      operators.map(({ operator, count }) => `${operator} ${count}`),
      ', ',
    ),
  ];
}

function gradientLines(gradient: Gradability, facets: Inspection['facets'], decision: string): string[] {
  if (!gradient.differentiable) {
    const open = (facets ?? []).filter(({ differentiable }) => differentiable).length;
    const still =
      open === 0
        ? 'decisions and clean metrics; no facet of this model can be attacked'
        : `decisions and clean metrics; ${open} of ${facets?.length} candidate facets can be attacked`;
    return [
      row('differentiable', `no, "${decision}" has no gradient`),
      ...sentence('in the way', obstacleText(gradient.obstacle)),
      ...sentence('still works', still),
    ];
  }
  const { norm, directions, relativeError, verdict } = gradient.check;
  const error = `relative error ${relativeError.toExponential(1)}, the worst of ${directions.length} directions`;
  const told = {
    agrees: `agrees with central differences: ${error}`,
    differs: `DIFFERS from central differences: ${error}. Do not trust attacks on this model`,
    flat: `too flat on a random input for central differences to tell (gradient norm ${norm.toExponential(1)})`,
  }[verdict];
  const stands =
    gradient.of === 'model'
      ? 'yes, every operator from input to decision'
      : 'yes, as its float counterpart; decisions stay with the model as it is';
  return [...sentence('differentiable', stands), ...sentence('self-check', told)];
}

/** Of neighbours of one shape only the last, which is the nearest to the decision. */
function facetLines(facets: NonNullable<Inspection['facets']>): string[] {
  if (facets.length === 0) return ['  none'];
  const shown = facets.filter(({ dims }, i) => dimsText(dims) !== dimsText(facets.at(i + 1)?.dims ?? []));
  const lines = shown.map(({ tensor, kind, dims, differentiable }) => {
    const sizes = dimsText(dims).padEnd(20);
    return `  ${kind.padEnd(11)}${sizes} ${tensor}${differentiable ? '' : '  (no gradient)'}`;
  });
  const left = facets.length - shown.length;
  return left === 0 ? lines : [...lines, `  ${left} more that have the shape of their neighbour: --json`];
}

/** A manifest as YAML; guesses carry a mark. */
function manifestLines({ document, guesses }: LikelyManifest): string[] {
  const lines: string[] = [];
  const add = (indent: string, key: string, value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      lines.push(`${indent}${key}:`);
      for (const [name, inner] of Object.entries(value)) add(`${indent}  `, name, inner, `${path}.${name}`);
      return;
    }
    const text = Array.isArray(value) ? `[${value.join(', ')}]` : stringify(value).trim();
    const guessed = guesses.some((guess) => path === guess || path.startsWith(`${guess}.`));
    const line = `${indent}${key}: ${text}`;
    lines.push(guessed ? `${line.padEnd(34)} # guess` : line);
  };
  for (const [key, value] of Object.entries(document)) add('  ', key, value, key);
  return lines;
}

export function inspectionText(document: InspectionDocument): string {
  const { file, bytes, sha256, obstacle, facets, gradient, manifest } = document;
  const lines = [
    `${file}  ${(bytes / 1e6).toFixed(2)} MB  sha256 ${sha256.slice(0, 16)}`,
    '',
    ...factLines(document),
  ];
  if (obstacle !== null) {
    lines.push(
      '',
      'Cannot be evaluated',
      ...sentence('in the way', obstacleText(obstacle)),
      ...sentence('still works', 'nothing but what stands above'),
    );
  }
  if (gradient !== null && manifest !== null)
    lines.push('', 'Gradient', ...gradientLines(gradient, facets, manifest.document.output.name));
  if (facets !== null)
    lines.push('', 'Candidate facets, on every path from input to decision', ...facetLines(facets));
  if (manifest !== null)
    lines.push(
      '',
      'Likely manifest; what the file does not say is a guess, to be checked with who trained it',
      ...manifestLines(manifest),
    );
  return `${lines.join('\n')}\n`;
}
