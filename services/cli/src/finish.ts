/** Ends a command: brings the reports to where the user looks for them, and says the table and the verdict. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keys, Report } from '@facet/contracts';
import { renderTable } from '@facet/report';
import { TerminalError } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import type { Completed } from './outcome.js';

/** Exit codes that pipelines stand on. */
export const EXIT = { passed: 0, error: 1, policyFailed: 3 } as const;

const NAMES = { json: 'report.json', html: 'report.html', xml: 'report.junit.xml' } as const;

type Kind = keyof typeof NAMES;

/** How a command ends: its exit code, and what it says in the end. */
export interface Ending {
  readonly code: number;
  /** For stdout, once nothing else is on the screen. */
  readonly text: string;
}

export const finish = (store: ObjectStore, out: string, { evaluation }: Completed): Promise<Ending> =>
  finishWith(evaluation, out, async (kind) => {
    const object = await store.get(keys.evaluation.report(evaluation, kind));
    return object?.bytes();
  });

/** @param read gives a form of the report */
export async function finishWith(
  evaluation: string,
  out: string,
  read: (kind: Kind) => Promise<Uint8Array | undefined>,
): Promise<Ending> {
  await mkdir(out, { recursive: true });
  let report: Report | undefined;
  for (const kind of ['json', 'html', 'xml'] as const) {
    const bytes = await read(kind);
    if (bytes === undefined) throw new TerminalError(`evaluation ${evaluation} has no report.${kind}`);
    if (kind === 'json') report = Report.parse(JSON.parse(new TextDecoder().decode(bytes)));
    await writeFile(join(out, NAMES[kind]), bytes);
  }
  if (report === undefined) throw new TerminalError(`evaluation ${evaluation} has no report`);
  const { policy, passed, checks } = report.verdict;
  const lines = [
    '',
    renderTable(report, { colour: process.stdout.isTTY }),
    ...report.notes.map((note) => `Note: ${note}`),
    ...checks.map(
      ({ name, actual, limit, passed: held }) =>
        `${held ? 'held  ' : 'FAILED'} ${name}: ${actual ?? 'undefined'}, limit ${limit}`,
    ),
    ...(policy === null ? [] : [`Policy ${policy}: ${passed ? 'passed' : 'FAILED'}`]),
    '',
    `Report: ${join(out, NAMES.html)}`,
    '',
  ];
  return { code: passed ? EXIT.passed : EXIT.policyFailed, text: lines.join('\n') };
}
