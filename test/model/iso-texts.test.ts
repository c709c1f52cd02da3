import t from 'tap'

import { IsoTexts } from '../../src/model/iso-texts.ts'

// Risk: a receipt with the time of another request.

t.test('each time has its text, also after another one and after an invalid one', (t) => {
  const texts = new IsoTexts()
  for (const ms of [0, 0, 1, 0, 1_767_225_600_123, 1_767_225_600_123, -1])
    t.equal(texts.of(new Date(ms)), new Date(ms).toISOString())
  t.throws(() => texts.of(new Date(NaN)), RangeError)
  t.equal(texts.of(new Date(-1)), '1969-12-31T23:59:59.999Z')
  t.end()
})
