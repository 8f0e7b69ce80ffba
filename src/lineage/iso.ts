/** RFC 3339 in UTC. Times out of its range are shown as the nearest it can say. */
export function iso(time: number): string {
  return new Date(Math.max(-62_135_596_800_000, Math.min(time, 253_402_300_799_999))).toISOString();
}
