import { clock, day, exact, moment, now, span } from '../time.ts'

interface WhenProps {
  readonly at: string | number | Date
  /** `clock`: day and time to the second. `moment`: the time of today, or day and minute. `age`: how long ago. */
  readonly as?: 'clock' | 'moment' | 'age' | 'exact'
}

/** A time. The exact one shows on hover. */
export function When({ at, as = 'moment' }: WhenProps) {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return <span>unknown</span>
  return (
    <time dateTime={date.toISOString()} title={`${exact(date)} · ${date.toISOString()}`} class="number">
      {as === 'age' && ageOf(date)}
      {as === 'moment' && moment(date)}
      {as === 'exact' && exact(date)}
      {as === 'clock' && (
        <>
          <span class="day">{day(date)} </span>
          {clock(date)}
        </>
      )}
    </time>
  )
}

function ageOf(date: Date): string {
  const ms = now.value - date.getTime()
  if (ms < -1_500) return `in ${span(ms)}`
  return ms < 1_500 ? 'now' : span(ms)
}
