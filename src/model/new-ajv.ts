import { createRequire } from 'node:module'

import type * as ajv from 'ajv'

const require = createRequire(import.meta.url)

/** Creates an Ajv. The first one loads its package, 63 modules: most commands check nothing against a schema. */
export function newAjv(options: ajv.Options): ajv.Ajv {
  const { Ajv } = require('ajv') as typeof ajv
  return new Ajv(options)
}
