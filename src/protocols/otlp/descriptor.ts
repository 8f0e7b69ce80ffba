import type { Root } from 'protobufjs';
import { loadLater } from '../load-later.ts';

const protobuf = loadLater<typeof import('protobufjs')>('protobufjs');

const field = (type: string, id: number): { type: string; id: number } => ({ type, id });
const repeated = (type: string, id: number): { rule: 'repeated'; type: string; id: number } => ({
  rule: 'repeated',
  type,
  id,
});

/**
 * The messages of OTLP traces, by their numbers.
 * Source: opentelemetry-proto 1.x: common.proto, resource.proto, trace.proto, trace_service.proto; and
 * google/rpc/status.proto, which OTLP/HTTP answers errors with.
 */
const description = {
  nested: {
    AnyValue: {
      oneofs: {
        value: {
          oneof: [
            'stringValue',
            'boolValue',
            'intValue',
            'doubleValue',
            'arrayValue',
            'kvlistValue',
            'bytesValue',
          ],
        },
      },
      fields: {
        stringValue: field('string', 1),
        boolValue: field('bool', 2),
        intValue: field('int64', 3),
        doubleValue: field('double', 4),
        arrayValue: field('ArrayValue', 5),
        kvlistValue: field('KeyValueList', 6),
        bytesValue: field('bytes', 7),
      },
    },
    ArrayValue: { fields: { values: repeated('AnyValue', 1) } },
    KeyValueList: { fields: { values: repeated('KeyValue', 1) } },
    KeyValue: { fields: { key: field('string', 1), value: field('AnyValue', 2) } },
    Scope: {
      fields: {
        name: field('string', 1),
        version: field('string', 2),
        attributes: repeated('KeyValue', 3),
      },
    },
    Resource: { fields: { attributes: repeated('KeyValue', 1) } },
    Event: {
      fields: {
        timeUnixNano: field('fixed64', 1),
        name: field('string', 2),
        attributes: repeated('KeyValue', 3),
      },
    },
    Link: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        attributes: repeated('KeyValue', 4),
        flags: field('fixed32', 6),
      },
    },
    SpanStatus: { fields: { message: field('string', 2), code: field('int32', 3) } },
    Span: {
      fields: {
        traceId: field('bytes', 1),
        spanId: field('bytes', 2),
        traceState: field('string', 3),
        parentSpanId: field('bytes', 4),
        name: field('string', 5),
        kind: field('int32', 6),
        startTimeUnixNano: field('fixed64', 7),
        endTimeUnixNano: field('fixed64', 8),
        attributes: repeated('KeyValue', 9),
        events: repeated('Event', 11),
        links: repeated('Link', 13),
        status: field('SpanStatus', 15),
        flags: field('fixed32', 16),
      },
    },
    ScopeSpans: {
      fields: {
        scope: field('Scope', 1),
        spans: repeated('Span', 2),
        schemaUrl: field('string', 3),
      },
    },
    ResourceSpans: {
      fields: {
        resource: field('Resource', 1),
        scopeSpans: repeated('ScopeSpans', 2),
        schemaUrl: field('string', 3),
      },
    },
    ExportTraceServiceRequest: { fields: { resourceSpans: repeated('ResourceSpans', 1) } },
    PartialSuccess: {
      fields: { rejectedSpans: field('int64', 1), errorMessage: field('string', 2) },
    },
    ExportTraceServiceResponse: { fields: { partialSuccess: field('PartialSuccess', 1) } },
    Status: { fields: { code: field('int32', 1), message: field('string', 2) } },
  },
};

let root: Root | undefined;

function lookupType(name: string): ReturnType<Root['lookupType']> {
  root ??= protobuf().Root.fromJSON(description);
  return root.lookupType(name);
}

/**
 * A protobuf body as plain objects: ids and bytes in base64, 64-bit numbers as text, names as in
 * OTLP/JSON. @throws whatever protobufjs throws for bytes that are no such message.
 */
export function decodeRequest(body: Uint8Array): unknown {
  const request = lookupType('ExportTraceServiceRequest');
  return request.toObject(request.decode(body), { longs: String, bytes: String, json: true });
}

/** A protobuf answer: a status for an error, or what became of the spans. */
export function encodeAnswer(
  type: 'ExportTraceServiceResponse' | 'Status',
  message: Readonly<Record<string, unknown>>,
): Buffer {
  const found = lookupType(type);
  return Buffer.from(found.encode(found.fromObject(message)).finish());
}
