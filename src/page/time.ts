import { signal } from '@preact/signals'

import { zone } from './settings.ts'

/** The time, for ages: it moves every few seconds while somebody looks. */
export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 5_000)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) now.value = Date.now()
})

const formats = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone.value}${JSON.stringify(options)}`
  let found = formats.get(key)
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', { ...options, ...(zone.value === 'utc' ? { timeZone: 'UTC' } : {}) })
    formats.set(key, found)
  }
  return found
}

/** `14:03:22` */
export function clock(at: Date): string {
  return format({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at)
}

/** `14:03` */
export function minute(at: Date): string {
  return format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
}

/** `26 Nov` */
export function day(at: Date): string {
  return format({ day: 'numeric', month: 'short' }).format(at)
}

/** `26 Nov 2026, 14:03:22.123 UTC` */
export function exact(at: Date): string {
  const text = format({
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
    timeZoneName: 'short'
  }).format(at)
  return text
}

/** `26 Nov 14:03`, or the time alone if it is today. */
export function moment(at: Date): string {
  const today = day(new Date(now.value))
  const date = day(at)
  return date === today ? clock(at) : `${date} ${minute(at)}`
}

/** How long ago, or how long until: `12 s`, `5 min`, `3 h`, `2 d`. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  if (hours < 48) return `${hours} h`
  return `${Math.round(hours / 24)} d`
}

/** A length of time: `34 ms`, `1.2 s`, `3 min 20 s`. */
export function length(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

/**
 * Reads a time of the address bar: `24h` before now, or an ISO time.
 * @returns undefined if it is neither
 */
export function readTime(text: string, from = Date.now()): Date | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/u.exec(text) ?? []
  if (amount !== undefined && unit !== undefined) return new Date(from - Number(amount) * unitMs[unit as Unit])
  const at = /^\d{4}-\d\d-\d\d/u.test(text) ? new Date(text) : undefined
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at
}

type Unit = 's' | 'm' | 'h' | 'd'
const unitMs: Readonly<Record<Unit, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
