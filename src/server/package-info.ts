import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isObject, text } from '../base/json.ts';

/** Path of a file of the package, whether it runs from src/ or from dist/. */
export function packagePath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/** Version in package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'));
  return (isObject(manifest) ? text(manifest.version) : undefined) ?? 'unknown';
}

/** True in a checkout, where the scripts are; false in an installed package. */
export function isCheckout(): boolean {
  return existsSync(packagePath('scripts/demo.ts'));
}
