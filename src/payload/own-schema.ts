import { createRequire } from 'node:module'

import type { Ajv, Options, ValidateFunction } from 'ajv'
import type * as ajvFormats from 'ajv-formats'
import type * as of2019 from 'ajv/dist/2019.js'
import type * as of2020 from 'ajv/dist/2020.js'

import { newAjv } from '../model/new-ajv.ts'
import { walkSchema } from './schema-nodes.ts'
import { withLinearUniqueItems } from './unique-items.ts'

type AnyAjv = Ajv | of2019.Ajv2019 | of2020.Ajv2020

interface Draft {
  readonly name: string
  /** Loaded when a schema first needs it. */
  readonly create: (options: Options) => AnyAjv
}

const require = createRequire(import.meta.url)
/** The draft of a schema without `$schema`, and of those that TypeBox writes. */
const draft07: Draft = { name: 'draft-07', create: newAjv }
const drafts: ReadonlyMap<string, Draft> = new Map([
  ['http://json-schema.org/draft-07/schema', draft07],
  [
    'https://json-schema.org/draft/2019-09/schema',
    {
      name: '2019-09',
      create: (options) => {
        const { Ajv2019 } = require('ajv/dist/2019.js') as typeof of2019
        return new Ajv2019(options)
      }
    }
  ],
  [
    'https://json-schema.org/draft/2020-12/schema',
    {
      name: '2020-12',
      create: (options) => {
        const { Ajv2020 } = require('ajv/dist/2020.js') as typeof of2020
        return new Ajv2020(options)
      }
    }
  ]
])

/** Keywords that tools add and that check nothing. */
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
/** Reject keywords that would be ignored; allow style differences. */
const options: Options = {
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  allowMatchingProperties: true,
  // Validated beforehand by one shared instance: compiling the meta-schema takes longer than compiling a schema.
  meta: false,
  validateSchema: false,
  // ajv's optimiser takes 40 % of compile time and gains nothing.
  code: { optimize: false }
}

/** Validates a schema against its meta-schema, by draft. */
const metaValidators = new Map<Draft, AnyAjv>()

/**
 * Compiles a schema that a user wrote. Refuses an unknown draft, keyword or format, because it would silently not be
 * checked.
 * @param allErrors whether the function finds every error, or stops at the first
 * @throws {Error} that names what is wrong with the schema
 */
export function compileOwnSchema(schema: object, allErrors = true): ValidateFunction {
  const { $schema } = schema as { readonly $schema?: unknown }
  const draft =
    $schema === undefined ? draft07 : drafts.get(typeof $schema === 'string' ? $schema.replace(/#$/, '') : '')
  if (draft === undefined) {
    throw new Error(
      `its $schema, ${JSON.stringify($schema)}, is not one of ${[...drafts.keys()].map((uri) => `"${uri}"`).join(', ')}`
    )
  }
  try {
    const metaValidator =
      metaValidators.get(draft) ?? draft.create({ strict: false, validateFormats: false, logger: false })
    metaValidators.set(draft, metaValidator)
    if (metaValidator.validateSchema(schema) !== true)
      throw new Error(metaValidator.errorsText(metaValidator.errors, { dataVar: 'schema' }))
    // One instance per schema: two schemas may have the same $id, and each is freed with its schema.
    const { default: formats } = require('ajv-formats') as typeof ajvFormats
    const ajv = formats.default(withLinearUniqueItems(draft.create({ ...options, allErrors })))
    ajv.addVocabulary([...annotations, ...extensionKeywords(schema)])
    return ajv.compile(schema)
  } catch (error) {
    const reason = (error as Error).message.replace(/^strict mode: /, '')
    throw new Error(`${reason} (read as ${draft.name}${$schema === undefined ? ', as it has no $schema' : ''})`, {
      cause: error
    })
  }
}

/** Finds the keywords that begin with `x-`. By convention they check nothing. */
function extensionKeywords(schema: object): ReadonlySet<string> {
  const extensions = new Set<string>()
  for (const node of walkSchema(schema)) {
    // TypeBox hides it in the schema as a function, which JSON Schema cannot express.
    if (Object.hasOwn(node, '~refine'))
      throw new Error('Type.Refine is a function and not part of the JSON Schema, so it would not be checked')
    for (const keyword of Object.keys(node)) if (/^x-[\w$:-]*$/i.test(keyword)) extensions.add(keyword)
  }
  return extensions
}
