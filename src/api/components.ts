import { answerSchema } from '../contract/answer.ts';
import { completenessSchema } from '../contract/completeness.ts';
import { diffSchema } from '../contract/diff.ts';
import { problemSchema } from '../contract/problem.ts';
import {
  deploymentEndSchema,
  deploymentRecordSchema,
  outcomeRecordSchema,
  predictionRecordSchema,
  recordAnswerSchema,
  recordsAnswerSchema,
  statementRecordSchema,
} from '../contract/records.ts';
import { resolutionSchema, searchResultSchema } from '../contract/resolve.ts';
import { statementsSchema } from '../contract/statements.ts';
import { receiptMessageSchema, statusSchema } from '../contract/status.ts';

/** The contract's schemas by the name that the OpenAPI document gives them. */
export const componentSchemas = {
  Answer: answerSchema,
  Completeness: completenessSchema,
  Diff: diffSchema,
  Resolution: resolutionSchema,
  SearchResult: searchResultSchema,
  PredictionRecord: predictionRecordSchema,
  OutcomeRecord: outcomeRecordSchema,
  DeploymentRecord: deploymentRecordSchema,
  DeploymentEnd: deploymentEndSchema,
  StatementRecord: statementRecordSchema,
  Statements: statementsSchema,
  RecordsAnswer: recordsAnswerSchema,
  RecordAnswer: recordAnswerSchema,
  ReceiptMessage: receiptMessageSchema,
  Status: statusSchema,
  Problem: problemSchema,
} as const;
