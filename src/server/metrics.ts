import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DoorMonitor } from '../door/index.ts';
import type { WebhookMonitor } from '../jobs/webhook-delivery.ts';
import type { Place } from './health.ts';

/** What /metrics tells, in the text form of Prometheus. Units are in the names. */
export interface Metrics extends DoorMonitor, WebhookMonitor {
  count(event: 'refused' | 'warned' | 'accepted', protocol: string): void;
  /** A write for which there was no place: a full disk, a bucket that does not answer. */
  failed(place: Place): void;
  text(): Promise<string>;
}

export interface MetricsSources {
  queued(): number;
  entries(): Promise<number>;
  /** Calls of webhooks that are owed, and events that were not queued. */
  webhooks(): Promise<{ readonly queued: number; readonly dropped: number }>;
  diskBytes(): { free: number; used: number };
  healthy(): boolean;
}

export function createMetrics(sources: () => MetricsSources): Metrics {
  const register = new Registry();
  const registers = [register];
  const messages = new Counter({
    name: 'wherefrom_messages_total',
    help: 'Messages by protocol and what became of them.',
    labelNames: ['protocol', 'outcome'],
    registers,
  });
  const commits = new Histogram({
    name: 'wherefrom_commit_duration_seconds',
    help: 'Time of one durable commit, from deciding to fsync.',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const batch = new Histogram({
    name: 'wherefrom_commit_messages',
    help: 'Messages that shared one commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 512, 2000],
    registers,
  });
  const calls = new Counter({
    name: 'wherefrom_webhook_calls_total',
    help: 'Calls of webhooks since the start by outcome: delivered, failed (given up), retried.',
    labelNames: ['outcome'],
    registers,
  });
  const failures = countFailures(registers);
  const gauge = (
    name: string,
    help: string,
    collect: (gauge: Gauge) => void | Promise<void>,
  ): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        await collect(this);
      },
    });
  };
  gauge('wherefrom_queue_messages', 'Messages waiting for the writer.', (each) =>
    each.set(sources().queued()),
  );
  gauge('wherefrom_ledger_entries', 'Entries in the ledger.', async (each) =>
    each.set(await sources().entries()),
  );
  gauge('wherefrom_webhook_queue_calls', 'Calls of webhooks that are owed.', async (each) =>
    each.set((await sources().webhooks()).queued),
  );
  gauge(
    'wherefrom_webhook_dropped_events',
    'Events that were not queued for a webhook because too many waited.',
    async (each) => each.set((await sources().webhooks()).dropped),
  );
  gauge('wherefrom_store_bytes', 'Size of the store, with its write-ahead log.', (each) =>
    each.set(sources().diskBytes().used),
  );
  gauge('wherefrom_disk_free_bytes', 'Free space on the disk of the data directory.', (each) =>
    each.set(sources().diskBytes().free),
  );
  gauge('wherefrom_healthy', '1 while the server accepts messages and artifacts.', (each) =>
    each.set(sources().healthy() ? 1 : 0),
  );
  gauge('process_resident_memory_bytes', 'Resident memory.', (each) =>
    each.set(process.memoryUsage.rss()),
  );
  return {
    committed({ messages: count, durationMs }) {
      commits.observe(durationMs / 1000);
      batch.observe(count);
    },
    called: (outcome) => calls.inc({ outcome }),
    count: (event, protocol) => messages.inc({ protocol, outcome: event }),
    failed: (place) => failures.inc({ place }),
    text: () => register.metrics(),
  };
}

function countFailures(registers: Registry[]): Counter<'place'> {
  const failures = new Counter({
    name: 'wherefrom_failed_writes_total',
    help: 'Writes that found no place since the start: data (the record) or artifacts.',
    labelNames: ['place'],
    registers,
  });
  for (const place of ['data', 'artifacts'] as const) failures.inc({ place }, 0);
  return failures;
}
