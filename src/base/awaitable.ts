/** A value now or later: an embedded store answers at once, one behind a network does not. Always `await` it. */
export type Awaitable<T> = T | Promise<T>;
