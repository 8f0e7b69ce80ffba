/** A request in the log: without its query, which may hold a link's token or what was searched for. */
export function describeRequest(request: {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly ip: string;
}): Record<string, string> {
  const { method, url, host, ip } = request;
  return { method, url: url.split('?', 1)[0] ?? '', host, remoteAddress: ip };
}
