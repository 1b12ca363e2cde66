/** Every expression of the dashboards, rules and alerts, with where it stands: for tests that parse or run them all. */
import { readFile } from 'node:fs/promises';
import { type SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { z } from 'zod';
import { dashboards } from './dashboards/index.js';
import { ALERTS, RULES } from './files.js';

export interface Expression {
  readonly language: 'promql' | 'traceql';
  /** As `Pipeline, Lag` or `alerts.yml, FacetDeadLetters`. */
  readonly where: string;
  readonly text: string;
}

/** What stands in the variables of a dashboard when it is opened, in a window of ten minutes. */
const VARIABLES: Readonly<Record<string, string>> = {
  __rate_interval: '1m',
  __range: '10m',
  model: '.*',
  epsilon: '.*',
  evaluation: 'none',
  gpu_hour: '2.5',
  cpu_hour: '0.05',
};

const Panel = z.object({
  title: z.string(),
  targets: z.array(z.object({ expr: z.string().optional(), query: z.string().optional() })),
});
const Board = z.object({
  title: z.string(),
  panels: z.array(Panel),
  templating: z
    .object({ list: z.array(z.object({ name: z.string(), query: z.unknown() })).default([]) })
    .optional(),
});

/** Of the dashboards, with their variables filled in; choices among values are the metric that has them. */
export function dashboardExpressions(): Expression[] {
  return dashboards().flatMap((built) => {
    const { title, panels, templating } = Board.parse(JSON.parse(JSON.stringify(built)));
    const choices = (templating?.list ?? []).flatMap(({ name, query }): Expression[] => {
      const [, metric] = /^label_values\((.+), \w+\)$/.exec(String(query)) ?? [];
      return metric === undefined
        ? []
        : [{ language: 'promql', where: `${title}, variable ${name}`, text: metric }];
    });
    const shown = panels.flatMap((panel) =>
      panel.targets.map(({ expr, query }): Expression => {
        const where = `${title}, ${panel.title}`;
        if (expr !== undefined) return { language: 'promql', where, text: filled(expr, where) };
        if (query !== undefined) return { language: 'traceql', where, text: filled(query, where) };
        throw new Error(`${where} asks for nothing`);
      }),
    );
    return [...choices, ...shown];
  });
}

function filled(text: string, where: string): string {
  return text.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const value = VARIABLES[name] as string | undefined;
    if (value === undefined) throw new Error(`${where}: nothing is known of the variable $${name}`);
    return value;
  });
}

const Rule = z.object({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Rule = z.infer<typeof Rule>;
const File = z.object({ groups: z.array(z.object({ name: z.string(), rules: z.array(Rule) })) });

const rulesOf = async (path: string): Promise<Rule[]> =>
  File.parse(parse(await readFile(path, 'utf8'))).groups.flatMap(({ rules }) => rules);

export const recordingRules = (): Promise<Rule[]> => rulesOf(RULES);
export const alerts = (): Promise<Rule[]> => rulesOf(ALERTS);

/**
 * Of rules and alerts. An alert has no value while all is well, so that its expression is what it compares with numbers:
 * `a > 0.1 and b > 0.2` is asked for as `a and b`.
 */
export async function ruleExpressions(): Promise<Expression[]> {
  const [recorded, alerting] = await Promise.all([recordingRules(), alerts()]);
  return [
    ...recorded.map(({ record, expr }): Expression => ({
      language: 'promql',
      where: `rules.yml, ${record}`,
      text: expr,
    })),
    ...alerting.map(({ alert, expr }): Expression => ({
      language: 'promql',
      where: `alerts.yml, ${alert}`,
      text: compared(expr),
    })),
  ];
}

const COMPARISONS = ['EqlC', 'Neq', 'Gtr', 'Lss', 'Gte', 'Lte'];
const NUMBER = 'NumberDurationLiteral';

/** The expression with the left side of each comparison with a number instead of it; `bool` ones are values and stay. */
export function compared(expression: string): string {
  const cut = firstComparison(parser.parse(expression).topNode);
  if (cut === undefined) return expression;
  const { node, left } = cut;
  const kept = expression.slice(left.from, left.to);
  return compared(expression.slice(0, node.from) + kept + expression.slice(node.to));
}

function firstComparison(node: SyntaxNode): { node: SyntaxNode; left: SyntaxNode } | undefined {
  if (node.name === 'BinaryExpr') {
    const [left, right] = [node.firstChild!, node.lastChild!];
    const compares = COMPARISONS.some((name) => node.getChild(name) !== null);
    const isValue = node.getChild('BoolModifier')?.getChild('Bool') != null;
    if (compares && !isValue && right.name === NUMBER) return { node, left };
  }
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    const found = firstComparison(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
