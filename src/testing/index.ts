/** For tests, ours and our users': the public surface of `riverhook/testing`. */
export { createTestReceiver, runHandler } from './test-receiver.ts'
export type {
  HandlerRun,
  LogLine,
  SendOptions,
  Sent,
  TestDelivery,
  TestEvent,
  TestEventOfSource,
  TestReceiver,
  TestReceiverOptions
} from './test-receiver.ts'
export { whenSettled } from './when-settled.ts'

export { createDigitalRiver, retrySchedules } from './digital-river/create-digital-river.ts'
export type { DigitalRiverSimulator } from './digital-river/create-digital-river.ts'
export type { DigitalRiverOptions } from './digital-river/options.ts'
export type { SimulatedWebhook } from './digital-river/account.ts'
export type { ApiCall, Dialect } from './digital-river/api.ts'
export type { Fault, FaultFilter } from './digital-river/faults.ts'
export { scenarios } from './scenarios.ts'
export type { Scenario, ScenarioName } from './scenarios.ts'
export type { Attempt, SimulatedEvent } from './sender.ts'
export { createSimulator } from './simulator.ts'
export type { Simulator, SimulatorOptions } from './simulator.ts'
export { createClock } from './clock.ts'
export type { Clock, DrivenClock } from './clock.ts'
export { sampleEvent } from './sample-event.ts'
export type { AnyChoice } from './sample-event.ts'
export type { EventChoice, SampleOptions } from './digital-river/sample-event.ts'
export { eventIn, newSecret, sampleBody, sampleRequest, signedHeaders } from './sample-request.ts'
export type {
  SampleBody,
  SampleBodyOptions,
  SampleRequest,
  SampleRequestOptions,
  SignedHeadersInput
} from './sample-request.ts'
export { sign } from './sign.ts'
export { sourceContract } from './source-contract.ts'
export type { TestRunner } from './source-contract.ts'
export type { SourceContractOptions, SourceSample } from './source-sample.ts'
