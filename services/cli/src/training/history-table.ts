/** How a training went, as a table for the terminal. */
import type { TrainingHistory } from '@facet/contracts';

const number = (value: number | null | undefined, digits = 4): string =>
  value === null || value === undefined ? '' : value.toFixed(digits);

/** A line per epoch; the one whose weights are published is marked. */
export function historyTable({ epochs, best }: TrainingHistory): string {
  const losses = Object.keys(epochs[0]?.losses ?? {});
  const validated = epochs.some(({ validation }) => validation !== null);
  const attacked = epochs.some(({ validation }) => validation?.robustAuc != null);
  const header = [
    'epoch',
    'rate',
    ...losses,
    ...(validated ? ['dev AUC'] : []),
    ...(attacked ? ['under attack'] : []),
    '',
  ];
  const rows = epochs.map(({ epoch, learningRate, losses: means, validation }) => [
    String(epoch),
    learningRate.toPrecision(2),
    ...losses.map((name) => number(means[name], 3)),
    ...(validated ? [number(validation?.auc)] : []),
    ...(attacked ? [number(validation?.robustAuc)] : []),
    epoch === best ? 'published' : '',
  ]);
  const widths = header.map((title, i) =>
    Math.max(...[header, ...rows].map((row) => row[i].length), title.length),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
