/** An engine on the provider that FACET_PROVIDER asks for, or the fastest that computes here. */
import { Engine, type EngineOptions } from './engine.js';
import { chooseProvider, providerWish } from './provider.js';

/**
 * @param say gets one line: what computes, and why nothing faster
 * Errors: RangeError or Error naming FACET_PROVIDER where it is wrong, or asks for what does not compute here.
 */
export async function openEngine(
  options: Omit<EngineOptions, 'provider'>,
  say: (line: string) => void,
): Promise<Engine> {
  const { provider, line } = await chooseProvider(providerWish());
  say(line);
  return new Engine({ ...options, provider });
}
