import { createRequire } from 'node:module'

import { Ajv, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type * as of2019 from 'ajv/dist/2019.js'
import type * as of2020 from 'ajv/dist/2020.js'

import { nodesOf } from './schema-nodes.ts'
import { withLinearUniqueItems } from './unique-items.ts'

type AnyAjv = Ajv | of2019.Ajv2019 | of2020.Ajv2020

interface Draft {
  readonly name: string
  /** Loaded when a schema asks for it. */
  readonly create: (options: Options) => AnyAjv
}

const require = createRequire(import.meta.url)
/** What a schema without `$schema` is, and what TypeBox writes. */
const draft07: Draft = { name: 'draft-07', create: (options) => new Ajv(options) }
const drafts: ReadonlyMap<string, Draft> = new Map([
  ['http://json-schema.org/draft-07/schema', draft07],
  [
    'https://json-schema.org/draft/2019-09/schema',
    {
      name: '2019-09',
      create: (options) => new (require('ajv/dist/2019.js') as typeof of2019).Ajv2019(options)
    }
  ],
  [
    'https://json-schema.org/draft/2020-12/schema',
    {
      name: '2020-12',
      create: (options) => new (require('ajv/dist/2020.js') as typeof of2020).Ajv2020(options)
    }
  ]
])

/** What tools write beside the rules, and what rules nothing. */
const annotations = [
  'example',
  'externalDocs',
  'xml',
  'discriminator',
  'enumNames',
  'enumDescriptions',
  'markdownDescription',
  'errorMessage',
  'tsType'
]
/** Strict about what would not be checked, and not about style. */
const options: Options = {
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  allowMatchingProperties: true,
  // Done beforehand, by one for all: to compile the schema of schemas takes longer than to compile a schema.
  meta: false,
  validateSchema: false,
  // Nothing that V8 would not do, and two fifths of the time.
  code: { optimize: false }
}

/** By draft: whether a schema is one. */
const judges = new Map<Draft, AnyAjv>()

/**
 * Compiles a schema that a merchant wrote. What would silently not be checked is refused: a draft, a keyword or a
 * format that is not known.
 * @param allErrors whether the function finds every error, or ends at the first
 * @throws {Error} that says what is wrong with it
 */
export function compileOwnSchema(schema: object, allErrors = true): ValidateFunction {
  const { $schema } = schema as { readonly $schema?: unknown }
  const draft =
    $schema === undefined ? draft07 : drafts.get(typeof $schema === 'string' ? $schema.replace(/#$/, '') : '')
  if (draft === undefined) {
    throw new Error(
      `its $schema, ${JSON.stringify($schema)}, is none of ${[...drafts.keys()].map((uri) => `"${uri}"`).join(', ')}`
    )
  }
  try {
    const judge = judges.get(draft) ?? draft.create({ strict: false, validateFormats: false, logger: false })
    judges.set(draft, judge)
    if (judge.validateSchema(schema) !== true) throw new Error(judge.errorsText(judge.errors, { dataVar: 'schema' }))
    // One for each schema: two of one $id are no conflict, and it goes when the schema goes.
    const ajv = formats.default(withLinearUniqueItems(draft.create({ ...options, allErrors })))
    ajv.addVocabulary([...annotations, ...extensionsIn(schema)])
    return ajv.compile(schema)
  } catch (error) {
    const reason = (error as Error).message.replace(/^strict mode: /, '')
    throw new Error(`${reason} (read as ${draft.name}${$schema === undefined ? ', for want of a $schema' : ''})`, {
      cause: error
    })
  }
}

/** Keywords that begin with `x-`: by common consent they rule nothing. */
function extensionsIn(schema: object): ReadonlySet<string> {
  const extensions = new Set<string>()
  for (const node of nodesOf(schema)) {
    // TypeBox keeps it out of sight: a function, which no JSON Schema can carry.
    if (Object.hasOwn(node, '~refine'))
      throw new Error('Type.Refine is a function, and no part of the schema: it would not be checked')
    for (const keyword of Object.keys(node)) if (/^x-[\w$:-]*$/i.test(keyword)) extensions.add(keyword)
  }
  return extensions
}
