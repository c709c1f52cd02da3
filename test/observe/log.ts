import { pino } from 'pino'

/** A log for receivers whose lines no test reads. */
export const log = pino({ level: 'silent' })
