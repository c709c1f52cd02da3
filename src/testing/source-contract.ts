import { RiverhookError, type Source } from '../index.ts'
import { neverThrows } from './never-throws.ts'
import {
  acceptsSamples,
  answersProperly,
  givesReadableParts,
  listsSearchKeys,
  readsEvents,
  readsItsSamples,
  readsTheSameFromWhatIsKept,
  refusesOldTimes,
  refusesTampering,
  refusesWrongSecrets,
  verifiesWhatItSigns
} from './source-promises.ts'
import type { Given, SourceContractOptions, SourceSample } from './source-sample.ts'

/** A function such as `test` of node:test or vitest, or an object that has it, such as `t` of tap. */
export type TestRunner = RunTest | { readonly test: RunTest }

type RunTest = (name: string, run: () => Promise<void>) => unknown

/**
 * Tests that a source keeps its contract: one test for each promise. Give several samples: an ordinary event, one with
 * characters outside ASCII, a batch and a challenge, if the provider sends these.
 *
 * import { test } from 'node:test' await sourceContract(test, payments, [{ body, headers, secret, at, events: [{ id:
 * 'ev_1', type: 'invoice.paid' }] }])
 *
 * @param test makes a test of a name and a function; nothing but a thrown error means failure
 */
export async function sourceContract(
  test: TestRunner,
  source: Source,
  samples: readonly SourceSample[],
  options: SourceContractOptions = {}
): Promise<void> {
  if (samples.length === 0)
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'sourceContract: give at least one sample')
  const run: RunTest = typeof test === 'function' ? test : test.test.bind(test)
  for (const [name, check] of Object.entries(checks)) {
    await run(`${source.name}: ${name}`, async () => {
      await check({ source, samples, options })
    })
  }
}

type Check = (given: Given) => Promise<void>

/** The promises, by the name of their test. */
const checks: Readonly<Record<string, Check>> = {
  'accepts each sample, also with several secrets, and says which one matched': acceptsSamples,
  'reads the events of each sample': readsEvents,
  'reads the same from what is kept as from the whole request': readsTheSameFromWhatIsKept,
  'gives parts that are readable by themselves': givesReadableParts,
  'refuses every tampered byte': refusesTampering,
  'refuses a wrong secret, and a request without a signature': refusesWrongSecrets,
  'refuses an old time and a time in the future, where the time is signed': refusesOldTimes,
  'verifies what it signs': verifiesWhatItSigns,
  'reads the samples that it makes': readsItsSamples,
  'answers only what is a handshake before it is verified, and recorded events with 2xx': answersProperly,
  'lists the search keys of its events, if it has any': listsSearchKeys,
  'never throws, whatever the headers and bytes are': neverThrows
}
