import type { Effort, LoadFigure, System } from '../figures.ts';
import { type LoadRequest, runLoad } from '../load.ts';
import { cpuMs, machineCpuMs, memoryMiB } from '../processes.ts';
import type { MeasuredServer } from '../server.ts';

export interface LoadMeasure {
  readonly measure: string;
  readonly system: System;
  readonly server: MeasuredServer;
  readonly connections: number;
  readonly itemsPerRequest?: number;
  readonly effort: Effort;
  readonly next: (index: number, connection: number) => LoadRequest;
}

/** Puts one load on a server and measures both sides. */
export async function measureLoad(options: LoadMeasure): Promise<LoadFigure> {
  const { measure, system, server, connections, itemsPerRequest = 1, effort, next } = options;
  const { warmupMs, durationMs } = effort;
  let sent = 0;
  let before = readClocks(server.pid, sent);
  const result = await runLoad({
    url: server.url,
    connections,
    warmupMs,
    durationMs,
    next: (index, connection) => {
      sent += 1;
      return next(index, connection);
    },
    onCounting: () => {
      before = readClocks(server.pid, sent);
    },
  });
  const after = readClocks(server.pid, sent);
  const serverMs = after.server - before.server;
  const othersMs = after.machine - before.machine - serverMs - (after.load - before.load);
  const { requestsPerSecond, p50Ms, p99Ms, errors, firstError } = result;
  return {
    kind: 'load',
    measure,
    system,
    connections,
    requestsPerSecond,
    itemsPerRequest,
    p50Ms,
    p99Ms,
    cpuMicrosPerRequest: (serverMs * 1_000) / Math.max(1, after.sent - before.sent),
    memoryMiB: memoryMiB(server.pid),
    othersCores: Math.max(0, othersMs / (after.time - before.time)),
    errors,
    ...(firstError === undefined ? {} : { firstError }),
  };
}

/** CPU times in ms of the server, of this process and of the whole machine. */
function readClocks(pid: number, sent: number) {
  const { user, system } = process.cpuUsage();
  return {
    time: performance.now(),
    server: cpuMs(pid),
    load: (user + system) / 1_000,
    machine: machineCpuMs(),
    sent,
  };
}
