import { z } from 'zod';
import type { componentSchemas } from './components.ts';
import {
  completenessQuerySchema,
  diffQuerySchema,
  receiptParamsSchema,
  refQuerySchema,
  searchQuerySchema,
  walkQuerySchema,
} from './query.ts';

/** Names of the schemas that the OpenAPI document defines. */
export type ComponentName = keyof typeof componentSchemas;

/** One operation of our own API, as its OpenAPI document and its page describe it. */
export interface ApiOperation {
  readonly method: 'get' | 'post';
  /** Below the prefix of the API, with {parameters}. */
  readonly path: string;
  readonly id: string;
  readonly tag: 'Questions' | 'Records' | 'Ledger' | 'Server';
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly params?: z.ZodObject;
  /** What is posted; `many` takes one, a list or lines of JSON. */
  readonly body?: {
    readonly schema: ComponentName;
    readonly many: boolean;
    readonly optional?: boolean;
  };
  /** A schema by name, or the media type of another answer. */
  readonly answer: ComponentName | 'text/plain' | 'text/html' | 'application/json';
  /** Codes of refusals that are particular to it. */
  readonly refusals?: readonly string[];
}

const idParams = z.strictObject({ id: z.string().describe('Id of the prediction.') });
const nameParams = z.strictObject({
  name: z.string().describe('Name of the deployment, or name@number.'),
});

const questions: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/trace',
    id: 'trace',
    tag: 'Questions',
    summary: 'Where does it come from?',
    description:
      'Walks upstream of a ref. Large fan-outs are counted, never expanded; where the walk stopped is said in `stopped`.',
    query: walkQuerySchema,
    answer: 'Answer',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/impact',
    id: 'impact',
    tag: 'Questions',
    summary: 'What did it reach?',
    description: 'Walks downstream of a ref. Predictions are counted in `counts`.',
    query: walkQuerySchema,
    answer: 'Answer',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/completeness',
    id: 'completeness',
    tag: 'Questions',
    summary: 'Which links of a full lineage are missing?',
    query: completenessQuerySchema,
    answer: 'Completeness',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/statements',
    id: 'statements',
    tag: 'Questions',
    summary: 'What was ever stated about it?',
    description:
      'Approvals, incidents, limitations … with their validity and what took their place; `holds` says which count at the moment. Answers show those that hold in `attributes.statements` of each node.',
    query: completenessQuerySchema,
    answer: 'Statements',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/diff',
    id: 'diff',
    tag: 'Questions',
    summary: 'How do two runs, versions or predictions differ?',
    query: diffQuerySchema,
    answer: 'Diff',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/resolve',
    id: 'resolve',
    tag: 'Questions',
    summary: 'What does a short ref mean?',
    description: 'An ambiguous one is refused with `conflict`, and `candidates` to choose from.',
    query: refQuerySchema,
    answer: 'Resolution',
    refusals: ['not_found', 'conflict', 'invalid_message'],
  },
  {
    method: 'get',
    path: '/search',
    id: 'search',
    tag: 'Questions',
    summary: 'Things whose name begins with a text',
    query: searchQuerySchema,
    answer: 'SearchResult',
    refusals: ['invalid_message'],
  },
];

const records: readonly ApiOperation[] = [
  {
    method: 'post',
    path: '/predictions',
    id: 'recordPredictions',
    tag: 'Records',
    summary: 'Record predictions',
    description:
      'Idempotent by id. One that names an unknown model version is kept and flagged. JSON or application/x-ndjson; gzip is accepted.',
    body: { schema: 'PredictionRecord', many: true },
    answer: 'RecordsAnswer',
    refusals: [
      'malformed_message',
      'invalid_message',
      'too_large',
      'unsupported_media',
      'overloaded',
    ],
  },
  {
    method: 'get',
    path: '/predictions/{id}',
    id: 'getPrediction',
    tag: 'Records',
    summary: 'One prediction as it was recorded, with its outcomes',
    params: idParams,
    answer: 'application/json',
    refusals: ['not_found'],
  },
  {
    method: 'post',
    path: '/outcomes',
    id: 'recordOutcomes',
    tag: 'Records',
    summary: 'Record ground truth, corrections and overrides',
    body: { schema: 'OutcomeRecord', many: true },
    answer: 'RecordsAnswer',
    refusals: [
      'malformed_message',
      'invalid_message',
      'too_large',
      'unsupported_media',
      'overloaded',
    ],
  },
  {
    method: 'post',
    path: '/deployments',
    id: 'recordDeployment',
    tag: 'Records',
    summary: 'Record where and how a model version runs',
    body: { schema: 'DeploymentRecord', many: false },
    answer: 'RecordAnswer',
    refusals: ['malformed_message', 'invalid_message', 'not_found', 'overloaded'],
  },
  {
    method: 'post',
    path: '/deployments/{name}/end',
    id: 'endDeployment',
    tag: 'Records',
    summary: 'Record that a deployment ended',
    description:
      'A bare name means the deployment that runs now; when none does, the one that ran last.',
    params: nameParams,
    body: { schema: 'DeploymentEnd', many: false, optional: true },
    answer: 'RecordAnswer',
    refusals: ['not_found', 'invalid_message', 'conflict'],
  },
  {
    method: 'post',
    path: '/statements',
    id: 'makeStatement',
    tag: 'Records',
    summary: 'State something about a ref: an approval, a limitation, an incident …',
    description:
      'Types `alias` and `distinct` say whether the ref and `value.of` are one thing. Of a list each record is refused alone, with `code` and `message` in `results`: an alias of another kind, or of another workspace.',
    body: { schema: 'StatementRecord', many: true },
    answer: 'RecordsAnswer',
    refusals: ['malformed_message', 'invalid_message', 'not_found', 'conflict', 'overloaded'],
  },
];

const ledger: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/receipts/{position}/{index}',
    id: 'receipt',
    tag: 'Ledger',
    summary: 'The stored message behind a receipt',
    params: receiptParamsSchema,
    answer: 'ReceiptMessage',
    refusals: ['not_found'],
  },
  {
    method: 'get',
    path: '/checkpoint',
    id: 'checkpoint',
    tag: 'Ledger',
    summary: 'Signed size and root hash of the ledger (C2SP signed-note)',
    answer: 'text/plain',
  },
];

const server: readonly ApiOperation[] = [
  {
    method: 'get',
    path: '/status',
    id: 'status',
    tag: 'Server',
    summary: 'What this server is and holds',
    answer: 'Status',
  },
  {
    method: 'get',
    path: '/openapi.json',
    id: 'openapi',
    tag: 'Server',
    summary: 'This description (OpenAPI 3.1)',
    answer: 'application/json',
  },
  {
    method: 'get',
    path: '/docs',
    id: 'docs',
    tag: 'Server',
    summary: 'This description as a page',
    answer: 'text/html',
  },
];

/** Every operation under /api/wherefrom/v1, in the order of the page. */
export const apiOperations: readonly ApiOperation[] = [
  ...questions,
  ...records,
  ...ledger,
  ...server,
];
