/**
 * The type of the values that match a JSON Schema, as far as the keywords say it that most schemas have. Written here,
 * because the types of a schema library would take a compiler that checks declarations twenty seconds. The types of
 * TypeBox's schemas have these keywords, too.
 */
export type SchemaValue<Schema> = Schema extends { readonly '~unsafe': infer Value }
  ? Value
  : Schema extends { readonly const: infer Value }
    ? Value
    : Schema extends { readonly enum: readonly (infer Value)[] }
      ? Value
      : Schema extends { readonly anyOf: readonly (infer One)[] }
        ? SchemaValue<One>
        : Schema extends { readonly oneOf: readonly (infer One)[] }
          ? SchemaValue<One>
          : Schema extends { readonly allOf: infer All }
            ? ValueOfAll<All>
            : Schema extends { readonly type: infer Type }
              ? ValueOfType<Schema, Type extends readonly (infer Each)[] ? Each : Type>
              : unknown

type ValueOfAll<All> = All extends readonly [infer First, ...infer Rest]
  ? SchemaValue<First> & ValueOfAll<Rest>
  : unknown

interface Plain {
  readonly string: string
  readonly number: number
  readonly integer: number
  readonly boolean: boolean
  readonly null: null
}

/** Distributive: a schema may have several types. */
type ValueOfType<Schema, Type> = Type extends keyof Plain
  ? Plain[Type]
  : Type extends 'array'
    ? ListOf<Schema>
    : Type extends 'object'
      ? ObjectOf<Schema>
      : unknown

type ListOf<Schema> = Schema extends { readonly prefixItems: infer Items extends readonly unknown[] }
  ? TupleOf<Items>
  : Schema extends { readonly items: infer Items }
    ? Items extends readonly unknown[]
      ? TupleOf<Items>
      : SchemaValue<Items>[]
    : unknown[]

type TupleOf<Items extends readonly unknown[]> = { -readonly [Index in keyof Items]: SchemaValue<Items[Index]> }

/** Fields that the schema does not name may be there, but have no type. */
type ObjectOf<Schema> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      {
        [Name in keyof Properties as Name extends RequiredOf<Schema> ? Name : never]: SchemaValue<Properties[Name]>
      } & {
        [Name in keyof Properties as Name extends RequiredOf<Schema> ? never : Name]?: SchemaValue<Properties[Name]>
      }
    >
  : Schema extends { readonly additionalProperties: infer Each extends object }
    ? Record<string, SchemaValue<Each>>
    : Schema extends { readonly patternProperties: Readonly<Record<string, infer Each>> }
      ? Record<string, SchemaValue<Each>>
      : object

type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never

/** Shows an editor one object instead of two. */
type Flat<Value> = { [Name in keyof Value]: Value[Name] }
