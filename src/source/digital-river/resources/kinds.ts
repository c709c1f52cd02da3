import { Type, type Static, type TObject, type TProperties, type TSchema, type TUnsafe } from 'typebox'

/**
 * The building blocks of the resources. One source gives both the static type and the JSON Schema, and fields that
 * are not named are welcome. What the wire carries wins over the provider's model, which is both its PHP SDK and its
 * OpenAPI document of 2021-12-13. Certain are only the id of what an event is about, and what a handler builds on, if
 * three samples or more show that resource and none lacks it. Every other field may be missing: also one that the
 * model requires, because that alone was never seen to hold for events; where it says so, the reason stands beside
 * the field. A field may be null where the OpenAPI document says so.
 *
 * Fields that several resources share are groups: `TObject<typeof group & typeof own>` at the schema names them,
 * because a type that the compiler has to write out itself loses their comments in the published package.
 */

/** An object. Further fields are welcome: the provider adds some without a version. */
export function resource<Properties extends TProperties>(properties: Properties): TObject<Properties> {
  return Type.Object(properties)
}

/** A part with a name of its own, so that an editor shows `Address`, not its twenty fields. */
export function part<Named>(schema: TSchema): TUnsafe<Named> {
  return Type.Unsafe<Named>(schema)
}

/** Several of a part. */
export function parts<Named>(schema: TSchema): TUnsafe<readonly Named[]> {
  return Type.Unsafe<readonly Named[]>(Type.Array(schema))
}

/**
 * A field that may be null: so says the provider's OpenAPI document. The type of the schema becomes a list, and not a
 * choice of schemas, as a choice hides which rule of it does not hold.
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
 * One, or a list of each: the documents disagree, and both are read. The first branch is the newer one, and what a
 * sample is made as.
 */
export function oneOrMany<One, Each = One>(one: TSchema, each: TSchema = one): TUnsafe<One | readonly Each[]> {
  return Type.Unsafe<One | readonly Each[]>(Type.Union([one, Type.Array(each)]))
}

/** The same, where the newer document has the list. */
export function manyOrOne<Each, One = Each>(each: TSchema, one: TSchema = each): TUnsafe<readonly Each[] | One> {
  return Type.Unsafe<readonly Each[] | One>(Type.Union([Type.Array(each), one]))
}

/** The values that are documented. Another one may come any day: that is drift, and no error. */
export function oneOf<const Value extends string>(...values: readonly Value[]): TUnsafe<Value | (string & {})> {
  return Type.Unsafe<Value | (string & {})>({ type: 'string', enum: [...values] })
}

/** A text, non-empty or not. */
export const text = Type.String()

/** A whole number. */
export const count = Type.Integer()

/** A text that the model has as a number: both are read. */
export const textOrNumber = Type.Union([text, Type.Number()])

/** An amount in major units of its currency, such as 23.8 for 23.80 EUR: so in every sample. */
export const amount = Type.Number()

/** A share as a decimal, such as 0.19 for 19 percent. */
export const rate = Type.Number()

export const flag = Type.Boolean()

const instantPattern = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:?\\d{2})$'
const dayPattern = '^\\d{4}-\\d{2}-\\d{2}$'

/** An ISO 8601 instant. Some samples have the offset without a colon (`+0000`), which stricter formats refuse. */
export const instant = Type.String({ pattern: instantPattern })

/** An instant by the model, a day by its name, and no sample that tells which: both are read. */
export const dayOrInstant = Type.String({ pattern: `${dayPattern}|${instantPattern}` })

/** The merchant's own fields, as they were given: texts, numbers, booleans, or lists of those. */
export const metadata = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object' })

/** Something whose shape is not known. */
export const anything = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object' })

/** Texts by name, where the names are data. */
export const textsByName = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  additionalProperties: { type: 'string' }
})
