import { before, type Scene } from './scene.ts'
import { historyOf, stateOf } from './states.ts'
import { bySchema, values } from './values.ts'

/** The part of JSON Schema that the resources use. */
export interface Shape {
  /** A list if the field may be null: the first is generated. */
  readonly type?: string | readonly string[]
  readonly enum?: readonly (string | null)[]
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly pattern?: string
}

/**
 * Generates a value for a schema, with the fields that an event of the scene's type would have.
 * @param name of the field; of the resource at the top
 * @param around the name of the field or resource that it is in
 * @returns undefined for a field that is left out
 */
export function make(shape: Shape, name: string, around: string, scene: Scene): unknown {
  const chosen = (values[`${around}.${name}`] ?? values[name] ?? (() => bySchema))(scene)
  if (chosen !== bySchema) return chosen
  if (shape.anyOf !== undefined) return make(shape.anyOf[0] ?? {}, name, around, scene)
  if (shape.enum !== undefined)
    return name === 'state'
      ? stateOf(
          around,
          shape.enum.filter((value) => value !== null),
          scene
        )
      : shape.enum[0]
  switch (typeOf(shape)) {
    case 'object':
      return makeObject(shape, name, scene)
    case 'array':
      return [make(shape.items ?? {}, name, name, scene)]
    case 'boolean':
      return true
    case 'integer':
      return 1
    case 'number':
      return 0
    case undefined:
    default:
      return shape.pattern === undefined ? `example-${scene.dice.digits(4)}` : before(scene, 20)
  }
}

function makeObject({ properties = {} }: Shape, name: string, scene: Scene): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  const isSource = 'owner' in properties
  for (const [field, shape] of Object.entries(properties).sort(idFirst)) {
    // Of the payment methods, only the used one is present; its details are in the field with its name.
    if (isSource && field !== 'owner' && typeOf(shape) === 'object' && field !== 'metadata' && field !== scene.method)
      continue
    const value = make(shape, field, name, scene)
    if (value !== undefined) object[field] = value
  }
  for (const [state, transitions] of [
    ['state', 'stateTransitions'],
    ['fraudState', 'fraudStateTransitions']
  ] as const) {
    const known = properties[transitions]?.properties
    if (known !== undefined)
      object[transitions] = timesOf(historyOf(String(object[state]), Object.keys(known), scene), scene)
  }
  return object
}

function typeOf({ type }: Shape): string | undefined {
  return typeof type === 'object' ? type[0] : type
}

/** Orders the fields for a reader: what it is comes before what it has. */
function idFirst([one]: readonly [string, Shape], [other]: readonly [string, Shape]): number {
  return Number(other === 'id') - Number(one === 'id')
}

/** Each state was reached some minutes after the previous one. */
function timesOf(states: readonly string[], scene: Scene): Record<string, string> {
  return Object.fromEntries(states.map((state, index) => [state, before(scene, 1 + 5 * (states.length - 1 - index))]))
}
