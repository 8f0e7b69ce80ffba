import { limits } from '../base/limits.ts';
import type { WalkInput } from '../contract/answer.ts';
import { type EntityKind, entityKinds, isEntityKind } from '../facts/kinds.ts';
import { exitCodes, UsageError, writeJson } from './io.ts';
import { momentArgs, readMoment } from './moment.ts';
import { renderTree } from './render-tree.ts';
import { sourceArgs, withSource } from './source.ts';
import { defineVerb, readNumber, type Verb } from './verb.ts';

const walkArgs = {
  ref: {
    type: 'positional',
    required: true,
    description:
      'A prediction id, a run id, credit-risk@3, a name, a path, path#column or a whole ref.',
  },
  columns: { type: 'boolean', description: 'Also walk columns.' },
  depth: { type: 'string', description: `Links walked at most; ${limits.depthDefault}.` },
  nodes: { type: 'string', description: `Nodes shown at most; ${limits.nodesDefault}.` },
  ...momentArgs,
  kinds: { type: 'string', description: 'Only these kinds, separated by commas.' },
  ...sourceArgs,
} as const;

interface WalkWords {
  readonly name: 'trace' | 'impact';
  readonly summary: string;
  readonly examples: readonly string[];
}

/** The verbs trace and impact: the same questions in the two directions. */
export function defineWalk({ name, summary, examples }: WalkWords): Verb {
  return defineVerb({
    name,
    summary,
    examples,
    args: walkArgs,
    async run(args, io) {
      const input: WalkInput = {
        ref: args.ref,
        depth: readNumber(args.depth, 'depth', { min: 0, max: limits.depthMax }),
        nodes: readNumber(args.nodes, 'nodes', { min: 1, max: limits.nodesMax }),
        columns: args.columns,
        ...readMoment(args),
        kinds: readKinds(args.kinds),
      };
      const answer = await withSource(args, io, (questions) => questions[name](input));
      if (args.json) writeJson(io, answer);
      else io.out(renderTree(answer, io).join('\n'));
      return exitCodes.done;
    },
  });
}

function readKinds(text: string | undefined): EntityKind[] | undefined {
  return text?.split(',').map((kind) => {
    if (isEntityKind(kind)) return kind;
    throw new UsageError(
      `"${kind}" is not a kind.`,
      `The kinds are ${Object.keys(entityKinds).join(', ')}.`,
    );
  });
}
