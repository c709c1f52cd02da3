/**
 * The default source, named only here: `riverhook.on`, `defineHandler` and an endpoint use it if they name no source.
 */
import { forwardTo, type Forward } from '../forward/forward.ts'
import { readDefinition } from '../handlers/define-handler.ts'
import type {
  DefineHandler,
  EventOf as EventOfSource,
  HandlerContext as ContextOfSource,
  HandlerFunction as FunctionOfSource,
  HandlerOptions as OptionsOfSource,
  OwnSchemaOptions as OwnSchemaOptionsOfSource,
  Registrar as RegistrarOfSource,
  TypesOf as TypesOfSource
} from '../handlers/handler.ts'
import type { DigitalRiverEvent } from '../source/digital-river/event.ts'
import { digitalRiver, type DigitalRiverSource } from '../source/digital-river/index.ts'

/** Returns the default source. */
export const defaultSource: () => DigitalRiverSource = digitalRiver

type Path = DigitalRiverSource['payloadPath']

/** The event types of the default source that a pattern covers, as a type. */
export type TypesOf<Pattern extends string> = TypesOfSource<DigitalRiverEvent, Pattern>

/**
 * The event of each type of the default source, so that `event.type` narrows the payload.
 * @typeParam Own the payload according to the handler's own schema, if it has one
 */
export type EventOf<Type extends string, Own = never> = EventOfSource<DigitalRiverEvent, Type, Own, Path>

/** The second argument of a handler of the default source. */
export type HandlerContext<Type extends string = string, Own = never> = ContextOfSource<EventOf<Type, Own>>

/** A handler's function for events of the default source. */
export type HandlerFunction<Type extends string = string, Own = never> = FunctionOfSource<EventOf<Type, Own>>

/** Options of a handler of the default source. */
export type HandlerOptions<Type extends string = string, Own = never> = OptionsOfSource<EventOf<Type, Own>>

/** Options of a handler of the default source with its own schema. */
export type OwnSchemaOptions<Type extends string, Schema extends object> = OwnSchemaOptionsOfSource<
  Schema,
  EventOf<Type>
>

/** Where handlers are registered: `app.riverhook`, and the argument of a handlers file's function. */
export type Registrar = RegistrarOfSource<DigitalRiverEvent, Path>

/**
 * Defines a handler as a value: in a file of a handlers folder, for `riverhook.on(definition)`, or for the option
 * `handlers`. It is checked here, so that an error names the file with the mistake.
 *
 *     export default defineHandler('order.accepted', { timeout: 10_000 }, async (event, { log, signal }) => { ... })
 *     export const paid = defineHandler(payments, 'invoice.paid', async (event) => { ... })
 *
 * @param source the source of the events; optional, default: the default source
 * @param pattern an event type, a prefix like `order.*`, or `*`
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_PATTERN, RIVERHOOK_OPTIONS_INVALID
 */
export const defineHandler = ((...given: readonly unknown[]) => readDefinition(given)) as DefineHandler<
  DigitalRiverEvent,
  Path
>

/**
 * Makes a handler that POSTs events to a URL, for services that are not written in Node: as a value for a handlers
 * folder, `riverhook.on(definition)` or the option `handlers`. It sends the exact bytes that were received, with the
 * headers of Standard Webhooks; `webhook-id` is the same on every attempt and replay. docs/forward.md says what becomes
 * of each answer.
 *
 *     export default forward({ pattern: 'order.*', url: 'http://erp.internal/hooks', secret: process.env.ERP_SECRET })
 *
 * Its name is made of pattern, host and path, without what may be a token, unless `name` is given.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_HANDLERS_PATTERN
 */
export const forward = forwardTo as Forward<DigitalRiverEvent>
