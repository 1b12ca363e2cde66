/** What dashboards are made of: one look for all, over Grafana's typed builders. */
import { ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder as PromQuery, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { DataqueryBuilder as TraceQuery } from '@grafana/grafana-foundation-sdk/tempo';
import { PanelBuilder as TimeseriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';

/** Uids of grafana/provisioning/datasources. */
const METRICS = { type: 'prometheus', uid: 'prometheus' };
const TRACES = { type: 'tempo', uid: 'tempo' };

const HEIGHT = 8;
const HALF = 12;

/** PromQL, and how a series of it is called. */
export type Query = readonly [expression: string, legend: string];

export interface Look {
  readonly title: string;
  /** Answers: what does it say, and when must one act? */
  readonly about: string;
  /** Grafana's name: `s`, `percentunit`, `short`, `currencyUSD`. */
  readonly unit: string;
  /** Of 24 columns; half of them unless given. */
  readonly width?: number;
}

/** Lines over time; with exemplars, points that lead to traces. */
export function lines(look: Look, queries: readonly Query[], { exemplars = false } = {}): TimeseriesPanel {
  const panel = new TimeseriesPanel()
    .title(look.title)
    .description(look.about)
    .datasource(METRICS)
    .unit(look.unit)
    .min(0)
    .height(HEIGHT)
    .span(look.width ?? HALF);
  for (const [index, [expression, legend]] of queries.entries())
    panel.withTarget(
      new PromQuery().refId(refIdOf(index)).expr(expression).legendFormat(legend).exemplar(exemplars).range(),
    );
  return panel;
}

/** One number now. */
export const number = (look: Look, [expression, legend]: Query): StatPanel =>
  new StatPanel()
    .title(look.title)
    .description(look.about)
    .datasource(METRICS)
    .unit(look.unit)
    .height(HEIGHT / 2)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .span(look.width ?? HALF / 2)
    .withTarget(new PromQuery().refId('A').expr(expression).legendFormat(legend).instant());

/** A row for each series now, its labels as columns. */
export const rows = (look: Look, expression: string): TablePanel =>
  new TablePanel()
    .title(look.title)
    .description(look.about)
    .datasource(METRICS)
    .unit(look.unit)
    .height(HEIGHT)
    .span(look.width ?? HALF)
    .withTarget(new PromQuery().refId('A').expr(expression).format(PromQueryFormat.Table).instant());

/** Traces that a TraceQL expression finds. */
export const traces = (look: Omit<Look, 'unit'>, expression: string): TablePanel =>
  new TablePanel()
    .title(look.title)
    .description(look.about)
    .datasource(TRACES)
    .height(HEIGHT)
    .span(look.width ?? HALF)
    .withTarget(
      new TraceQuery().refId('A').queryType('traceql').query(expression).limit(50).datasource(TRACES),
    );

const refIdOf = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);

/** A choice among a label's values; all of them at first. */
export const choice = (name: string, metric: string, label: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .datasource(METRICS)
    .query(`label_values(${metric}, ${label})`)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });

/** Something that people type in. */
export const entry = (name: string, label: string, value: string): TextBoxVariableBuilder =>
  new TextBoxVariableBuilder(name).label(label).defaultValue(value).current({ text: value, value });

/** Its uid is its address and never changes. */
export const dashboard = (name: string, about: string): DashboardBuilder =>
  new DashboardBuilder(`Facet: ${name}`)
    .uid(`facet-${name.toLowerCase()}`)
    .description(about)
    .tags(['facet'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .readonly();
