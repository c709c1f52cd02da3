/**
 * The unit of a number follows from its size. The ranges of the four units do not overlap for the years 2001 (seconds:
 * 1970) to 2200.
 */
const units = [
  { least: 0, most: 7_258_118_400, perMs: 1e-3 },
  { least: 978_307_200e3, most: 7_258_118_400e3, perMs: 1 },
  { least: 978_307_200e6, most: 7_258_118_400e6, perMs: 1e3 },
  { least: 978_307_200e9, most: 7_258_118_400e9, perMs: 1e6 }
]

/**
 * ISO 8601 as the provider and databases write it: with a space, without seconds, with a comma, without a zone.
 */
const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,12}))? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i
const basicIso = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\.\d{1,12})?(Z|[+-]\d\d(?::?\d\d)?)?$/i
/** RFC 5322, as in the HTTP header Date. */
const ofMail = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/

/**
 * Reads the time at which a request was signed. The provider does not document the format; the formats here are those
 * with only one meaning. A time without a zone is UTC, like every time in the provider's API.
 * @returns undefined for any other text
 */
export function readTime(text: string): Date | undefined {
  if (/^\d{1,20}$/.test(text)) return readNumber(Number(text))
  const plain = text.trim().replace(/^t=/i, '')
  if (/^\d{1,20}(?:\.\d{1,9})?$/.test(plain)) return readNumber(Number(plain))
  const date = ofMail.test(plain) ? new Date(plain) : new Date(normalise(plain) ?? NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function readNumber(value: number): Date | undefined {
  const unit = units.find(({ least, most }) => value >= least && value < most)
  return unit === undefined ? undefined : new Date(Math.round(value / unit.perMs))
}

/** @returns the text in the form that every JavaScript engine reads */
function normalise(text: string): string | undefined {
  const [, date, minutes, seconds = ':00', fraction = '0', zone] =
    iso.exec(text.replace(basicIso, '$1-$2-$3T$4:$5:$6$7$8')) ?? []
  if (date === undefined || minutes === undefined) return undefined
  return `${date}T${minutes}${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${offset(zone)}`
}

function offset(zone = 'Z'): string {
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? []
  return hours === undefined ? 'Z' : `${hours}:${minutes}`
}
