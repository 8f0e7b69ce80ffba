import { enableCompileCache } from 'node:module';

// Compiled code is kept in the user's temporary directory: a second start takes a third less time.
enableCompileCache();
await import('./start.ts');
