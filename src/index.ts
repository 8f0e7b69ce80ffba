/** What the package offers to programs: the client and the types of its answers. */
export * from './client/index.ts';
