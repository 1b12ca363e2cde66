/** What every command of one process does: opens the system, runs, closes, whatever happens. */
import { join } from 'node:path';
import type { Ref } from '@facet/contracts';
import { createLog, Lifecycle, logOptions, NO_LOG, type Progress } from '@facet/runtime';
import { startTelemetry } from '@facet/telemetry';
import type { Ending } from './finish.js';
import { awaitConclusion, type Completed, type Conclusion } from './outcome.js';
import { type ProgressView, progressView } from './progress.js';
import { type AnyHandler, openSystem, type System } from './system.js';

export interface SessionOptions {
  /** Where reports go; the object store is its folder `store`. */
  readonly out: string;
  readonly version: string;
}

/** What a session does with the system, until what ended it is there. */
export interface SessionWork<T> {
  /** Publishes what starts the work; gives handlers of the session's own. */
  readonly begin: (system: System) => Promise<readonly AnyHandler[]>;
  /** Makes of the evaluations that are complete what the user sees. */
  readonly end: (
    system: System,
    completed: T,
    context: { readonly signal: AbortSignal; readonly progress: Progress },
  ) => Promise<Ending>;
}

/**
 * Starts what `begin` publishes and waits for the evaluations of `models` that it leads to. Returns the exit code.
 * Errors: rejects with the reason where there is no report; what is stored stays, and another run goes on from it.
 */
export const runSession = (
  { models, ...options }: SessionOptions & { readonly models: readonly Ref[] },
  work: SessionWork<readonly Completed[]>,
): Promise<number> =>
  runUntil(
    options,
    (view) =>
      awaitConclusion(models, (done) => {
        if (models.length > 1) view.report({ step: 'networks', done, total: models.length, unit: 'reports' });
      }),
    work,
  );

/** As {@link runSession}, until `conclusionOf` says that it has ended. */
export async function runUntil<T>(
  { out, version }: SessionOptions,
  conclusionOf: (view: ProgressView) => Conclusion<T>,
  { begin, end }: SessionWork<T>,
): Promise<number> {
  const lifecycle = new Lifecycle();
  const view = lifecycle.own('progress', progressView(process.stderr), (v) => {
    v.close();
  });
  // Retries and dead letters are told in the end; a log between the bars only where it is asked for.
  const log = process.env['FACET_LOG_LEVEL'] === undefined ? NO_LOG : createLog(logOptions(process.env));
  try {
    lifecycle.own(
      'telemetry',
      await startTelemetry({
        service: 'facet',
        version,
        log: createLog({ ...logOptions(process.env), level: 'warn' }),
      }),
      (telemetry) => telemetry.close(),
    );
    const progress: Progress = {
      report: ({ unit = '', ...progress }) => view.report({ ...progress, unit }),
    };
    const system = await openSystem(lifecycle, { folder: join(out, 'store'), log, version, progress });
    const conclusion = conclusionOf(view);
    const further = await begin(system);
    system.start([conclusion.handler, ...further]);
    const interrupted = new Promise<never>((_, reject) => {
      const { signal } = lifecycle;
      const stop = (): void => {
        const { message } = signal.reason as Error;
        reject(new Error(`${message}; the same command again goes on from what is stored`));
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    interrupted.catch(() => undefined);
    const completed = await Promise.race([conclusion.completed, interrupted]);
    const ending = end(system, completed, { signal: lifecycle.signal, progress });
    const { code, text } = await Promise.race([ending, interrupted]);
    view.close();
    process.stdout.write(text);
    return code;
  } finally {
    await lifecycle.close();
  }
}
