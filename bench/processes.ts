/** Memory and CPU time of a server with all processes that it started. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Memory in use by the process and its descendants, in MiB; pages that they share count for each. */
export function memoryMiB(pid: number): number {
  let kib = 0;
  for (const one of processTree(pid)) kib += residentKib(one);
  return kib / 1024;
}

/** CPU time that the process and its descendants have used, in milliseconds. NaN without /proc. */
export function cpuMs(pid: number): number {
  let ticks = 0;
  for (const one of processTree(pid)) {
    const stat = readProc(one, 'stat');
    if (stat === undefined) return Number.NaN;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  // Linux counts in hundredths of a second on every architecture that Node runs on.
  return ticks * 10;
}

/**
 * CPU time that all processes of the machine have used, in milliseconds. NaN without /proc.
 * Source: proc(5), the first line of /proc/stat.
 */
export function machineCpuMs(): number {
  try {
    const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split(
      / +/,
      8,
    );
    return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
  } catch {
    return Number.NaN;
  }
}

/** The process and its descendants, ancestors first; only itself without /proc. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of parents()) {
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  return tree;
}

function* parents(): Generator<[child: number, parent: number]> {
  let names: string[] = [];
  try {
    names = readdirSync('/proc');
  } catch {
    // no /proc: macOS
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(Number(name), 'stat');
    if (stat !== undefined) {
      yield [Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
    }
  }
}

function residentKib(pid: number): number {
  const status = readProc(pid, 'status');
  if (status !== undefined) return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  try {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return Number.NaN;
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
