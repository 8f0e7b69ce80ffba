/** Columns of a terminal that does not say how many it has. */
export const usualWidth = 80;

/** Columns of the terminal behind a stream; undefined without one, and when it says 0: not known. */
export function widthOf(stream: {
  readonly isTTY?: boolean;
  readonly columns?: number;
}): number | undefined {
  return stream.isTTY === true ? stream.columns || undefined : undefined;
}
