import type { Tokenise } from '../../../door/index.ts';
import { userTag } from '../operation.ts';

/** The value of the user's tag, as the JSON text of a source writes it. */
const user = new RegExp(`("${userTag.replace('.', '\\.')}"\\s*:\\s*")((?:[^"\\\\]|\\\\.)+)"`, 'g');

/** `scheme://user:password@`. */
const password = /(:\/\/)([^:/?#@\s"\\]*:[^/?#@\s"\\]+)@/g;

/** Parts of a URI that open what it names: signatures of S3, Google, Azure, and tokens. */
const signature =
  /([?&](?:x-amz-signature|x-amz-security-token|x-goog-signature|signature|sig|(?:access_)?token|api_?key|password)=)([^&#\s"\\]+)/gi;

/** A cheap test before the text is searched. */
export const mayHoldSecrets = (source: string): boolean =>
  source.includes(userTag) || source.includes('://');

/**
 * The JSON text of a source with the person and the secrets in it replaced; all else stays as it was
 * written, so that an answer can give it back byte by byte.
 */
export function sourceWithoutSecrets(source: string, tokenise: Tokenise): string {
  if (!mayHoldSecrets(source)) return source;
  return source
    .replace(user, (_, before: string, name: string) => `${before}${tokenise(name)}"`)
    .replace(password, (_, before: string, secret: string) => `${before}${tokenise(secret)}@`)
    .replace(signature, (_, before: string, secret: string) => before + tokenise(secret));
}
