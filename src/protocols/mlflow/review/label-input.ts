import { invalidParameter, pythonText } from '../errors.ts';
import type { BodyOf } from '../wire.ts';
import { invalidValue } from '../wire.ts';
import type { labelInputMessage } from './wire.ts';

/**
 * How reviewers answer a question. Source: mlflow/genai/label_schemas/validation.py, label_schemas.py
 * (_input_from_proto).
 */
type SentInput = BodyOf<typeof labelInputMessage>;

const labelCharactersMax = 64;
const optionsMax = 10;
const variants = ['pass_fail', 'categorical', 'numeric', 'text'] as const;
type Variant = (typeof variants)[number];

/** Names of the variants in texts. */
const classes: Readonly<Record<Variant, string>> = {
  pass_fail: 'InputPassFail',
  categorical: 'InputCategorical',
  numeric: 'InputNumeric',
  text: 'InputText',
};

/** The variant that an input is. @throws invalid_message for none and for more than one. */
function variantOf(input: SentInput | undefined): Variant {
  const set = variants.filter((variant) => input?.[variant] !== undefined);
  const [only] = set;
  if (only !== undefined && set.length === 1) return only;
  if (set.length > 1) throw invalidValue('input', input);
  throw invalidParameter(
    'Label schema `input` must have exactly one of `pass_fail`, `categorical`, `numeric`, or `text` set; got an empty oneof.',
  );
}

/** The input as it is kept: JSON text. @throws invalid_message with MLflow's texts. */
export function readLabelInput(input: SentInput | undefined): string {
  const variant = variantOf(input);
  const { pass_fail, categorical, numeric, text } = input ?? {};
  switch (variant) {
    case 'pass_fail': {
      const { positive_label = '', negative_label = '' } = pass_fail ?? {};
      checkLabels(positive_label, negative_label);
      return JSON.stringify({ pass_fail: { positive_label, negative_label } });
    }
    case 'categorical': {
      const { options = [], multi_select = false } = categorical ?? {};
      checkOptions(options);
      return JSON.stringify({ categorical: { options, multi_select } });
    }
    case 'numeric':
      checkRange(numeric ?? {});
      return JSON.stringify({ numeric });
    case 'text':
      if (text?.max_length !== undefined && text.max_length < 1) {
        throw invalidParameter(
          `\`InputText.max_length\` must be at least 1; got ${text.max_length}.`,
        );
      }
      return JSON.stringify({ text });
  }
}

function checkLabels(positive_label: string, negative_label: string): void {
  for (const [name, label] of Object.entries({ positive_label, negative_label })) {
    if (label === '') {
      throw invalidParameter(
        `\`InputPassFail.${name}\` must be a non-empty string; got ${pythonText(label)}.`,
      );
    }
    if (label.length > labelCharactersMax) {
      throw invalidParameter(
        `\`InputPassFail.${name}\` must be at most ${labelCharactersMax} characters; got ${label.length}.`,
      );
    }
  }
  if (positive_label === negative_label) {
    throw invalidParameter(
      `\`InputPassFail.positive_label\` and \`negative_label\` must be distinct; got ${pythonText(positive_label)} for both.`,
    );
  }
}

function checkOptions(options: readonly string[]): void {
  if (options.length === 0)
    throw invalidParameter('`InputCategorical.options` must be a non-empty list; got [].');
  if (options.length > optionsMax) {
    throw invalidParameter(
      `\`InputCategorical.options\` must have at most ${optionsMax} entries; got ${options.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const option of options) {
    if (option === '') {
      throw invalidParameter(
        "`InputCategorical.options` entries must be non-empty strings; got ''.",
      );
    }
    if (option.length > labelCharactersMax) {
      throw invalidParameter(
        `\`InputCategorical.options\` entries must be at most ${labelCharactersMax} characters; got ${option.length} for ${pythonText(option)}.`,
      );
    }
    if (seen.has(option)) {
      throw invalidParameter(
        `\`InputCategorical.options\` must be deduplicated; ${pythonText(option)} appears twice.`,
      );
    }
    seen.add(option);
  }
}

function checkRange({ min_value: min, max_value: max }: NonNullable<SentInput['numeric']>): void {
  if (typeof min !== 'number' || typeof max !== 'number' || min < max) return;
  const shown = (value: number): string =>
    Number.isInteger(value) ? value.toFixed(1) : String(value);
  throw invalidParameter(
    `\`InputNumeric.min_value\` must be strictly less than \`max_value\`; got min=${shown(min)}, max=${shown(max)}.`,
  );
}

/** A changed input keeps its variant, and whether it takes several options. */
export function checkSameInput(before: string, after: string): void {
  // Both were written by `readLabelInput`.
  const [old, now] = [before, after].map((text) => JSON.parse(text) as SentInput);
  const [was, is] = [variantOf(old), variantOf(now)];
  if (was !== is) {
    throw invalidParameter(
      `A label schema's input type cannot be changed after creation (existing: ${classes[was]}, got: ${classes[is]}).`,
    );
  }
  if (old?.categorical?.multi_select !== now?.categorical?.multi_select) {
    throw invalidParameter('`InputCategorical.multi_select` cannot be changed after creation.');
  }
}
