/** Tells how busy the workers are, as long as there is telemetry to tell it to: what a device's utilisation is made of. */
import { isTelemetryOn, record } from '@facet/telemetry';
import type { Pool } from '@facet/threads';

const INTERVAL_MS = 5_000;

/**
 * @param device what computes: `cpu`, `cuda`, `webgpu`
 * @returns what tells the rest and stops it
 */
export function watchUse(device: string, pool: Pick<Pool, 'size' | 'busyMs'>): () => void {
  if (!isTelemetryOn()) return () => undefined;
  let told = 0;
  const tell = () => {
    const { busyMs, size } = pool;
    record('facet.compute.workers', size, { device });
    record('facet.compute.busy', (busyMs - told) / 1000, { device });
    told = busyMs;
  };
  const timer = setInterval(tell, INTERVAL_MS).unref();
  tell();
  return () => {
    clearInterval(timer);
    tell();
  };
}
