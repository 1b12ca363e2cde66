/** The verdict as JUnit XML, so that a pipeline fails where the policy does. Holds no time: same report, same bytes. */
import { type FailedCell, formatRef, type Report, type Verdict } from '@facet/contracts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** What XML 1.0 cannot hold, not even as a reference. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/gu;

const escape = (text: string): string =>
  text.replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character]).replace(FORBIDDEN, '\ufffd');

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join('');

/**
 * One suite for the evaluation and a case per check of its policy; without a policy one case that passes. A cell that could
 * not be attacked is a case with an error.
 */
export function renderJUnit(report: Report): string {
  const { policy, checks } = report.verdict;
  const classname = `facet.${report.model.name}.${policy ?? 'no-policy'}`;
  const { failedCells = [] } = report;
  const cases =
    checks.length > 0
      ? checks.map((check) => testcase(check, classname))
      : [`    <testcase${attributes({ name: policy === null ? 'no policy' : 'no checks', classname })}/>`];
  cases.push(...failedCells.map((cell) => errorcase(cell, classname)));
  const counts = {
    tests: cases.length,
    failures: checks.filter(({ passed }) => !passed).length,
    errors: failedCells.length,
  };
  const properties = {
    model: formatRef(report.model),
    'model.sha256': report.model.sha256,
    dataset: formatRef(report.dataset),
    'dataset.digest': report.dataset.digest,
    ...(report.baseline && { baseline: formatRef(report.baseline.model) }),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'facet', ...counts })}>`,
    `  <testsuite${attributes({ name: report.evaluation, ...counts, skipped: 0 })}>`,
    '    <properties>',
    ...Object.entries(properties).map(([name, value]) => `      <property${attributes({ name, value })}/>`),
    '    </properties>',
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const errorcase = ({ id: name, reason: message }: FailedCell, classname: string): string =>
  `    <testcase${attributes({ name, classname })}>\n      <error${attributes({ message, type: 'given-up' })}/>\n    </testcase>`;

function testcase({ name, passed, actual, limit }: Verdict['checks'][number], classname: string): string {
  const open = `    <testcase${attributes({ name, classname })}`;
  if (passed) return `${open}/>`;
  const message = `actual ${actual ?? 'not measured'}, limit ${limit}`;
  return `${open}>\n      <failure${attributes({ message, type: 'policy' })}/>\n    </testcase>`;
}
