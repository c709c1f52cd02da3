import { readOwnJson } from '../programs.ts'
import type * as written from './schemas/index.ts'

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The schemas of the API by name, read from the file into which `npm run schemas` writes them. */
export const schemas: Readonly<Record<keyof typeof written, JsonSchema>> = readOwnJson('admin/schemas.json') as Record<
  keyof typeof written,
  JsonSchema
>
