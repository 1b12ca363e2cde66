/** Prometheus, with the configuration, rules and alerts that Facet ships; only addresses and intervals are this machine's. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PROMETHEUS_CONFIG } from '@facet/observability';
import { LocalServer, needProgram } from '@facet/local';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

const Config = z.looseObject({
  scrape_configs: z.array(
    z.looseObject({
      job_name: z.string(),
      static_configs: z.unknown().optional(),
      file_sd_configs: z.unknown().optional(),
    }),
  ),
});

/** What a job is scraped from here. */
export interface Target {
  readonly address: string;
  readonly tls?: true;
}

const Value = z.tuple([z.number(), z.string()]).transform(([, value]) => Number(value));
const Answer = z.object({
  data: z.discriminatedUnion('resultType', [
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: Value })),
    }),
    z.object({ resultType: z.literal('scalar'), result: Value }),
  ]),
});
const Exemplars = z.object({
  data: z.array(z.object({ exemplars: z.array(z.object({ labels: z.record(z.string(), z.string()) })) })),
});
const Rules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});

type Labels = Readonly<Record<string, string>>;

export class Prometheus {
  private constructor(readonly server: LocalServer) {}

  /** @param targets by the name of the job; each job of the configuration has one */
  static async start(targets: Readonly<Record<string, Target>>): Promise<Prometheus> {
    const path = needProgram('prometheus');
    const config = Config.parse(parse(await readFile(PROMETHEUS_CONFIG, 'utf8')));
    const here = {
      ...config,
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      alerting: undefined,
      scrape_configs: config.scrape_configs.map(({ file_sd_configs: _, ...job }) => {
        const target = targets[job.job_name] as Target | undefined;
        if (target === undefined) throw new Error(`nothing is scraped for job ${job.job_name}`);
        const tls = { scheme: 'https', tls_config: { insecure_skip_verify: true } };
        return { ...job, static_configs: [{ targets: [target.address] }], ...(target.tls && tls) };
      }),
    };
    const server = await LocalServer.start({
      name: 'prometheus',
      async command(port, folder) {
        await cp(dirname(PROMETHEUS_CONFIG), folder, { recursive: true });
        const file = join(folder, 'here.yml');
        await writeFile(file, stringify(here));
        const listen = `--web.listen-address=127.0.0.1:${port}`;
        const data = `--storage.tsdb.path=${join(folder, 'data')}`;
        const features = '--enable-feature=exemplar-storage';
        return { path, args: [`--config.file=${file}`, data, listen, features] };
      },
      async probe(port) {
        const response = await fetch(`http://127.0.0.1:${port}/-/ready`);
        if (!response.ok) throw new Error(`/-/ready says ${response.status}`);
      },
    });
    return new Prometheus(server);
  }

  /** The values of an instant expression now. Errors: what Prometheus says of the expression. */
  async query(expression: string): Promise<{ readonly labels: Labels; readonly value: number }[]> {
    const { data } = Answer.parse(await this.ask('query', { query: expression }));
    return data.resultType === 'scalar'
      ? [{ labels: {}, value: data.result }]
      : data.result.map(({ metric, value }) => ({ labels: metric, value }));
  }

  /** Trace ids of the exemplars of an expression's series in the last ten minutes. */
  async exemplars(expression: string): Promise<string[]> {
    const now = Date.now() / 1000;
    const query = { query: expression, start: String(now - 600), end: String(now) };
    const { data } = Exemplars.parse(await this.ask('query_exemplars', query));
    return data.flatMap((series) => series.exemplars.map(({ labels }) => labels['trace_id']));
  }

  /** Rules and alerts whose evaluation failed, with the reason. */
  async brokenRules(): Promise<string[]> {
    const { data } = Rules.parse(await this.ask('rules', {}));
    return data.groups
      .flatMap((group) => group.rules)
      .filter(({ health }) => health === 'err')
      .map(({ name, lastError }) => `${name}: ${lastError}`);
  }

  private async ask(what: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const url = `http://127.0.0.1:${this.server.port}/api/v1/${what}?${new URLSearchParams(parameters)}`;
    const response = await fetch(url);
    const body: unknown = await response.json();
    if (!response.ok)
      throw new Error(`Prometheus says ${response.status} of ${what}: ${JSON.stringify(body)}`);
    return body;
  }
}
