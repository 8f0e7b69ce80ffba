import type { Known, Relation } from './relations.ts';
import type { KeyValue } from './tracking-facts.ts';

/** Something that a trace came out of, or that was in it: an edge of the graph that ends in the trace. */
export interface TraceUse {
  /** Whole ref. */
  readonly ref: string;
  readonly relation: Relation;
  /** prompt, model, document, tool, source, linked … */
  readonly role: string;
  readonly known: Known;
  /** The protocol field, or the name of the rule, that told of it. */
  readonly rule: string;
  /** This server did not know what was named when the message came: kept and flagged. */
  readonly unknown?: boolean | undefined;
}

/** One span, without its content: that stays in the payload. */
export interface TraceSpan {
  /** 16 hex digits. */
  readonly id: string;
  readonly parent?: string | undefined;
  readonly name: string;
  /** MLflow's span type: LLM, RETRIEVER, TOOL …; the conventions of others are translated to it. */
  readonly type?: string | undefined;
  readonly status: 'UNSET' | 'OK' | 'ERROR';
  /** Microseconds since 1970: nanoseconds do not fit an exact number. */
  readonly startUs: number;
  readonly endUs?: number | undefined;
  /** JSON text: counts of tokens by kind. */
  readonly usage?: string | undefined;
  /** JSON text: cost in US dollars by kind. */
  readonly cost?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
}

/** What somebody, or a judge, said about a trace or about one of its spans. */
export interface TraceAssessment {
  readonly id: string;
  readonly name: string;
  readonly type: 'feedback' | 'expectation' | 'issue';
  /** JSON text. */
  readonly value: string;
  /** The value as a number to aggregate: numbers, yes and no, true and false. */
  readonly number?: number | undefined;
  /** True when the value itself is a finite number. */
  readonly numeric: boolean;
  readonly sourceType: string;
  /** The token of a person, when a person is the source. */
  readonly sourceId?: string | undefined;
  readonly spanId?: string | undefined;
  readonly runId?: string | undefined;
  readonly rationale?: string | undefined;
  /** Id of the assessment that this one replaces: that one is no longer valid. */
  readonly overrides?: string | undefined;
  /** JSON text of error_code, error_message, stack_trace. */
  readonly error?: string | undefined;
  readonly metadata: readonly KeyValue[];
  /** ms since 1970. */
  readonly createdTime: number;
  readonly updatedTime: number;
}

/** OK, ERROR, IN_PROGRESS or STATE_UNSPECIFIED. */
export type TraceStatus = 'STATE_UNSPECIFIED' | 'OK' | 'ERROR' | 'IN_PROGRESS';

/** What messages of both kinds say of a trace that may be new. */
interface TraceHome {
  /** Id of the trace, `tr-` and 32 hex digits when it was made of an OpenTelemetry trace. */
  readonly trace: string;
  /** Id of the experiment; null for a trace that belongs to none. */
  readonly experiment: string | null;
  /** Where a client may put files of the trace; '' without an experiment. */
  readonly artifactLocation: string;
}

/**
 * What translators say about traces of language models: predictions that were made in steps. Ids are
 * those of the fact's workspace, `time`s ms since 1970. Projected in ledger order.
 */
export type TraceFact =
  /** Spans of one trace. The trace is made of them until somebody reports it. */
  | ({
      readonly kind: 'trace.spansLogged';
      readonly spans: readonly TraceSpan[];
      /** Status and previews of input and output, when the root is among the spans. */
      readonly root?:
        | {
            readonly name: string;
            readonly status: TraceStatus;
            readonly request?: string | undefined;
            readonly response?: string | undefined;
          }
        | undefined;
      readonly name?: string | undefined;
      readonly session?: string | undefined;
      /** Token of the person who asked. */
      readonly user?: string | undefined;
      readonly tags: readonly KeyValue[];
      readonly uses: readonly TraceUse[];
    } & TraceHome)
  /** The client's own account of a trace, which wins over what follows from spans. */
  | ({
      readonly kind: 'trace.reported';
      readonly time: number;
      readonly durationMs?: number | undefined;
      readonly status: TraceStatus;
      readonly name?: string | undefined;
      readonly clientRequestId?: string | undefined;
      readonly request?: string | undefined;
      readonly response?: string | undefined;
      readonly tags: readonly KeyValue[];
      readonly metadata: readonly KeyValue[];
      readonly assessments: readonly TraceAssessment[];
      readonly uses: readonly TraceUse[];
    } & TraceHome)
  /** The end of a trace that was reported at its start. */
  | {
      readonly kind: 'trace.ended';
      readonly trace: string;
      readonly time: number;
      readonly status: TraceStatus;
      readonly tags: readonly KeyValue[];
      readonly metadata: readonly KeyValue[];
      readonly uses: readonly TraceUse[];
    }
  /** null removes the tag. */
  | {
      readonly kind: 'trace.tagged';
      readonly trace: string;
      readonly key: string;
      readonly value: string | null;
      readonly uses: readonly TraceUse[];
    }
  /** `target` is the id of a run, or `name/version` of a prompt. */
  | {
      readonly kind: 'trace.linked';
      readonly trace: string;
      readonly to: 'run' | 'prompt';
      readonly target: string;
      readonly use: TraceUse;
    }
  | { readonly kind: 'traces.deleted'; readonly traces: readonly string[]; readonly time: number }
  /** A new assessment, or the whole of one that was changed. */
  | {
      readonly kind: 'assessment.recorded';
      readonly trace: string;
      readonly assessment: TraceAssessment;
    }
  | { readonly kind: 'assessment.deleted'; readonly trace: string; readonly id: string };
