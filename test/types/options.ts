// Compiled, never run. Risk: with exactOptionalPropertyTypes, an optional value of a configuration, such as `tolerance:
// config.tolerance`, does not compile, although undefined means the default.
import type {
  BackfillOptions,
  BackfillSpan,
  CopyOptions,
  DigitalRiverClientOptions,
  DrainOptions,
  EndpointOptions,
  EventFilter,
  EventsFilter,
  EventsPageFilter,
  HandlerOptions,
  PostgresInboxOptions,
  RegisterOptions,
  RegistrationSettings,
  ReplayFilter,
  RetryOptions,
  RiverhookOptions,
  SqliteInboxOptions,
  TokenEndpointOptions,
  DeliveryCallbacks
} from '../../src/index.ts'
import type {
  DigitalRiverOptions,
  FaultFilter,
  SampleOptions,
  SendOptions,
  TestReceiverOptions
} from '../../src/testing/index.ts'

/** The names of optional options that do not accept undefined. */
type Refusing<Options> = {
  readonly [Name in keyof Options]-?: object extends Pick<Options, Name>
    ? Readonly<Record<Name, undefined>> extends Pick<Options, Name>
      ? never
      : Name
    : never
}[keyof Options]

interface Public {
  readonly plugin: [
    RiverhookOptions,
    EndpointOptions,
    RegisterOptions,
    NonNullable<RegisterOptions['oauth']>,
    BackfillOptions,
    TokenEndpointOptions,
    DeliveryCallbacks
  ]
  readonly calls: [DrainOptions, BackfillSpan, ReplayFilter, EventFilter, RegistrationSettings, CopyOptions]
  readonly handlers: [HandlerOptions, RetryOptions]
  readonly engines: [SqliteInboxOptions, PostgresInboxOptions]
  readonly client: [DigitalRiverClientOptions, EventsFilter, EventsPageFilter]
  readonly testKit: [DigitalRiverOptions, FaultFilter, SampleOptions, SendOptions, TestReceiverOptions]
}

type RefusingEach<Group> = Group extends readonly (infer Options)[]
  ? Options extends unknown
    ? Refusing<Options>
    : never
  : never
type RefusingIn<Groups> = { readonly [Group in keyof Groups]: RefusingEach<Groups[Group]> }[keyof Groups]

export const none: [RefusingIn<Public>] extends [never] ? true : RefusingIn<Public> = true
// @ts-expect-error the check itself finds one
export const one: [RefusingIn<{ readonly group: [{ readonly a?: string }] }>] extends [never] ? true : 'a' = true
