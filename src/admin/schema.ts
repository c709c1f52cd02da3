import json from './schemas.json' with { type: 'json' }
import type * as written from './schemas/index.ts'

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The schemas of the API by name, read from the file into which `npm run schemas` writes them. */
export const schemas: Readonly<Record<keyof typeof written, JsonSchema>> = json
