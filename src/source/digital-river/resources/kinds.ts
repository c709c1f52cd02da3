import { Type, type Static, type TObject, type TProperties, type TSchema, type TUnsafe } from 'typebox'

/**
 * The building blocks of the resources. Each definition gives the static type and the JSON Schema, and allows further
 * fields. Real payloads count more than the provider's model (its PHP SDK and its OpenAPI document of 2021-12-13). A
 * field is required only if it is the id of the resource, or if handlers depend on it and all of at least three samples
 * have it. Every other field is optional, even if the model requires it: the model alone was never confirmed for
 * events. Exceptions have their reason beside the field. A field may be null if the OpenAPI document says so.
 *
 * Fields that several resources share are groups: `TObject<typeof group & typeof own>` at the schema names them,
 * because a type that the compiler has to write out itself loses their comments in the published package.
 */

/** An object. Further fields are allowed: the provider adds some without a new version. */
export function resource<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return Type.Object(properties)
}

/** A named part, so that an editor shows `Address`, not its twenty fields. */
export function part<Named>(schema: TSchema): TUnsafe<Named> {
  return Type.Unsafe<Named>(schema)
}

/** Several of a part. */
export function parts<Named>(schema: TSchema): TUnsafe<readonly Named[]> {
  return Type.Unsafe<readonly Named[]>(Type.Array(schema))
}

/**
 * A field that may be null according to the provider's OpenAPI document. The schema gets a list of types instead of a
 * choice of schemas, because a choice hides which rule failed.
 */
export function nullable<Schema extends TSchema>(schema: Schema): TUnsafe<Static<Schema> | null> {
  const { type, enum: values } = schema as {
    readonly type?: string | readonly string[]
    readonly enum?: readonly unknown[]
  }
  const types = [type ?? [], 'null'].flat()
  return Type.Unsafe<Static<Schema> | null>({
    ...schema,
    type: types,
    ...(values === undefined ? {} : { enum: [...values, null] })
  })
}

/**
 * A value or a list of values: the documents disagree, so both are accepted. The first branch is the newer form, which
 * samples use.
 */
export function oneOrMany<One, Each = One>(one: TSchema, each: TSchema = one): TUnsafe<One | readonly Each[]> {
  return Type.Unsafe<One | readonly Each[]>(Type.Union([one, Type.Array(each)]))
}

/** The same, if the list is the newer form. */
export function manyOrOne<Each, One = Each>(each: TSchema, one: TSchema = each): TUnsafe<readonly Each[] | One> {
  return Type.Unsafe<readonly Each[] | One>(Type.Union([Type.Array(each), one]))
}

/** The documented values. Others may appear at any time: that is drift, not an error. */
export function oneOf<const Value extends string>(...values: readonly Value[]): TUnsafe<Value | (string & {})> {
  return Type.Unsafe<Value | (string & {})>({ type: 'string', enum: [...values] })
}

/** A text; may be empty. */
export const text = Type.String()

/** A whole number. */
export const count = Type.Integer()

/** A text that is a number in the model. Both are accepted. */
export const textOrNumber = Type.Union([text, Type.Number()])

/** An amount in major units of its currency, such as 23.8 for 23.80 EUR, as in every sample. */
export const amount = Type.Number()

/** A share as a decimal, such as 0.19 for 19 percent. */
export const rate = Type.Number()

export const flag = Type.Boolean()

const instantPattern = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:?\\d{2})$'
const dayPattern = '^\\d{4}-\\d{2}-\\d{2}$'

/** An ISO 8601 instant. Some samples have an offset without a colon (`+0000`), which stricter formats refuse. */
export const instant = Type.String({ pattern: instantPattern })

/** An instant according to the model, a day according to its name, and in no sample. Both are accepted. */
export const dayOrInstant = Type.String({ pattern: `${dayPattern}|${instantPattern}` })

/** The merchant's own fields: texts, numbers, booleans, or lists of those. */
export const metadata = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object' })

/** A value of unknown shape. */
export const anything = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object' })

/** Texts by name, if the names are data. */
export const textsByName = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  additionalProperties: { type: 'string' }
})
