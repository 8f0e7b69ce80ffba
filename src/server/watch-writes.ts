import type { FastifyInstance } from 'fastify';
import { systemClock } from '../base/clock.ts';
import type { BlobStore } from '../blobs/blobs.ts';
import { checkWritable } from '../blobs/durable.ts';
import type { Uploads } from '../blobs/uploads.ts';
import type { ProtocolServices } from '../protocols/services.ts';
import type { Config } from './config.ts';
import type { DataDirectory } from './data-directory.ts';
import { createHealth, describeHealth, type Health, type HealthEvent } from './health.ts';
import type { Metrics } from './metrics.ts';

/** The health of a server's writes. What changes is told in its log, or on stderr. */
export function watchWrites(
  config: Config,
  parts: {
    readonly directory: DataDirectory;
    readonly blobs: BlobStore;
    readonly metrics: Pick<Metrics, 'failed'>;
    /** Asked for when something is told: it is made after the door. */
    app(): FastifyInstance;
  },
): Health {
  const { directory, blobs, metrics } = parts;
  return createHealth({
    probes: {
      data: () => checkWritable(directory.path),
      artifacts: (signal) => blobs.check(signal),
    },
    clock: systemClock,
    report: (event) => tell(event, config, parts.app),
    failed: metrics.failed,
  });
}

/** The same, whose failures are known to `health`. Parts lie in the data directory until they are one. */
export function watchArtifacts(
  blobs: BlobStore,
  uploads: Uploads,
  health: Health,
): Pick<ProtocolServices, 'blobs' | 'uploads'> {
  return {
    blobs: {
      ...blobs,
      put: (content, options) => health.watch('artifacts', blobs.put(content, options)),
      get: (digest, range) => health.watch('artifacts', blobs.get(digest, range)),
      read: (digest, bytesMax) => health.watch('artifacts', blobs.read(digest, bytesMax)),
    },
    uploads: {
      ...uploads,
      putPart: (...part) => health.watch('data', uploads.putPart(...part)),
    },
  };
}

/** Tells whoever runs the server, also where requests are not logged. */
function tell(event: HealthEvent, { jsonLog }: Config, app: () => FastifyInstance): void {
  if (jsonLog) app().log[event.event === 'writes.failing' ? 'error' : 'info'](event, event.event);
  else process.stderr.write(`wherefrom: ${describeHealth(event)}\n`);
}
