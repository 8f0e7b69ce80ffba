/** What expressions are built of. */

/** All combinations, as `<left> <operator> <right>`. */
export function combine(
  lefts: readonly string[],
  operators: readonly string[],
  rights: readonly string[],
): string[] {
  return lefts.flatMap((left) =>
    operators.flatMap((operator) => rights.map((right) => `${left} ${operator} ${right}`)),
  );
}

/** Comparisons of numbers. */
export const numeric = ['=', '!=', '>', '>=', '<', '<='];
/** Comparisons of texts. */
export const textual = ['=', '!=', 'LIKE', 'ILIKE'];
/** Comparisons that some or none take. */
export const odd = [
  'IN',
  'NOT IN',
  'RLIKE',
  '<>',
  '==',
  'like',
  'ilike',
  'in',
  'not in',
  'NOT LIKE',
  '~',
];

/** Texts as values, in the quotes of the grammar. */
export const patterns = [
  ...[
    "'tree'",
    '"tree"',
    "'Tree'",
    "'TREE'",
    "'%ree'",
    "'t%'",
    "'%'",
    "''",
    "'_ree'",
    "'for_est'",
    "'for%est'",
    "'FOR%'",
  ],
  ...[
    "'[a-z]*?'",
    "'%[%'",
    "'*'",
    "'?ree'",
    "'it''s'",
    '"it\'s"',
    '\'say "so"\'',
    "'Größe'",
    "'GRÖSSE'",
    "'größe'",
    "'gr%e'",
    "'%ü%'",
  ],
  ...[
    "'100%'",
    "'back\\slash'",
    "'back%slash'",
    "'line%break'",
    "'under_score'",
    "'NULL'",
    "'3'",
    "'  tree '",
  ],
];

/** Whatever may stand where a comparison should, or beside one. */
export const broken = [
  ...[
    '',
    ' ',
    'model',
    'params',
    'params.',
    '.model',
    'params.model',
    'params.model =',
    "= 'tree'",
    "params.model 'tree'",
    'params.model = tree',
    'params.model = 3',
  ],
  ...[
    "params.model = 'tree",
    "params.model == 'tree'",
    "params.model = 'tree' OR params.model = 'x'",
    "NOT params.model = 'tree'",
    "(params.model = 'tree')",
  ],
  ...[
    "params.model = 'tree' AND",
    "AND params.model = 'tree'",
    "params.model = 'tree' and params.depth = '3'",
    "params.model = 'tree' AND AND params.depth = '3'",
  ],
  ...[
    "params.model = 'tree', params.depth = '3'",
    "params.model = 'tree'; params.depth = '3'",
    "params.model = 'tree';",
    "params.model = 'tree' -- comment",
    "params.model = 'tree' /* c */",
  ],
  ...[
    "model = 'tree'",
    "parms.model = 'tree'",
    "Params.model = 'tree'",
    "'tree' = params.model",
    'params.model = params.depth',
    "params.model.depth = 'x'",
    "params. model = 'tree'",
  ],
  ...[
    "params.model='tree'",
    "params.model=  'tree'  ",
    "params.model\n=\n'tree'",
    "params.model LIKE 'a' LIKE 'b'",
    "params.model BETWEEN 'a' AND 'z'",
    "params.model IS 'tree'",
  ],
  ...[
    'SELECT * FROM runs',
    '1 = 1',
    "'a' = 'a'",
    'params.model = NULL',
    'params.model IS NULL NULL',
    'params.model NOT NULL',
    "params.model = ('tree')",
    "params.model IN ('tree')",
  ],
  ...[
    "params.select = 'x'",
    "params.order = 'x'",
    "tags.and = 'x'",
    "tags.`and` = 'x'",
    "params.1 = 'one'",
    "params.`1` = 'one'",
    "params.a-b = 'dash'",
    "params.`a-b` = 'dash'",
    'params."a-b" = \'dash\'',
  ],
  ...[
    "params.a.b = 'dot'",
    "params.`a.b` = 'dot'",
    "tags.a tag = 'x'",
    'tags.`a tag` = "it\'s"',
    "tags.'a tag' = 'x'",
    "`tags`.team = 'a'",
    '"tags".team = \'a\'',
    "tags.ü = 'ü'",
    "tags.`ü` = 'ü'",
  ],
  ...[
    'metrics.`a metric/with.parts` > 1',
    'metrics.a metric > 1',
    'metrics."a metric/with.parts" = 2',
    'metrics.größe = 1',
    'metrics.`größe` = 1',
    'metrics.1 = 1',
    'metrics.`1` = 1',
  ],
];
