import { join } from 'node:path';
import { Readable } from 'node:stream';
import { WherefromError } from '../../../base/errors.ts';
import { isObject, list } from '../../../base/json.ts';
import { safePath } from '../tracking/artifact-path.ts';
import { filesBelow } from './files.ts';
import { createRestClient, type RestClient, type RestOptions } from './rest-client.ts';
import type { MlflowSource, SourceFile } from './source.ts';

type Proxied = NonNullable<MlflowSource['proxied']>;

/** The directory that a server's proxy keeps files in (`mlflow server --artifacts-destination`). */
export function proxiedDirectory(directory: string): Proxied {
  return (path) => filesBelow(join(directory, safePath(path)));
}

/** The proxy of a running server. */
export function proxiedUrl(options: RestOptions): Proxied {
  return proxiedBy(createRestClient(options));
}

/** The proxy that a client reaches. */
export function proxiedBy(client: RestClient): Proxied {
  return (path) => listed(client, safePath(path), '');
}

const endpoint = '/api/2.0/mlflow-artifacts/artifacts';

async function* listed(client: RestClient, root: string, below: string): AsyncIterable<SourceFile> {
  const path = below === '' ? root : `${root}/${below}`;
  const answer = await client.get(endpoint, { path });
  for (const file of list(answer.files)) {
    if (!isObject(file) || typeof file.path !== 'string') continue;
    const name = file.path.replace(/\/+$/, '').split('/').at(-1) ?? '';
    const inner = below === '' ? name : `${below}/${name}`;
    if (file.is_dir === true) yield* listed(client, root, inner);
    else {
      const whole = `${endpoint}/${`${root}/${inner}`.split('/').map(encodeURIComponent).join('/')}`;
      yield {
        path: inner,
        bytes: Number(file.file_size ?? 0),
        time: 0,
        open: async () => {
          const { body } = await client.fetch(whole);
          if (body === null) throw new WherefromError('not_found', `${inner} has no content.`);
          // The types of Node's two kinds of streams are not quite the same.
          return Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
        },
      };
    }
  }
}
