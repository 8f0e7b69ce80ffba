import { WherefromError } from '../base/errors.ts';
import { type LoadedConfig, loadConfig } from '../server/config.ts';
import { type Io, UsageError } from './io.ts';

/** The configuration with these flags. @throws UsageError when a setting is wrong, wherever it stands. */
export function readConfig(flags: Readonly<Record<string, unknown>>, io: Io): LoadedConfig {
  try {
    return loadConfig(flags, io.environment);
  } catch (thrown) {
    if (!(thrown instanceof WherefromError) || thrown.code !== 'invalid_message') throw thrown;
    throw new UsageError(thrown.message, thrown.hint);
  }
}
