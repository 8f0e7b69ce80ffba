export { base64OfHex, contentAttributes, contentText, exactJson, statusName } from './content.ts';
export { spanKeys } from './conventions.ts';
export {
  decodeValue,
  encodeValue,
  findSpans,
  type OtlpAttribute,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  type OtlpValue,
  readSpan,
  traceOfSpan,
} from './otlp.ts';
export { readTracePrediction } from './prediction.ts';
export { projectTraces, traceKeys } from './project.ts';
export { readSpanDictionaries, spanOfDictionary } from './span-dictionary.ts';
export type * from './store.ts';
export { costKeys, normalizeCost, normalizeUsage, pythonJson, tokenKeys } from './usage.ts';
