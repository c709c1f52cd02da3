import { subscribe } from 'node:diagnostics_channel'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import {
  RiverhookError,
  type AlarmName,
  type AnsweredMessage,
  type ChannelMessages,
  type Failure,
  type ReceivedMessage
} from '../../index.ts'
import { errorText } from '../../programs.ts'
import { join, print, style, styled, Styled } from '../output.ts'
import { cut, spanText, wrap } from '../print.ts'
import { isOfProject } from './fresh-modules.ts'

/** Prints events, attempts and log lines for people. */
export class Lines {
  /** The events of requests that are not answered yet, by endpoint. */
  readonly #received = new Map<string, ReceivedMessage[]>()
  /** Undefined after `begin()`. */
  #held: (readonly [sign: Styled, text: Styled])[] | undefined = []

  constructor() {
    const on = <Name extends keyof ChannelMessages>(
      name: Name,
      listener: (message: ChannelMessages[Name]) => void
    ): void => {
      subscribe(`riverhook:${name}`, (message) => {
        listener(message as ChannelMessages[Name])
      })
    }
    on('received', (message) => {
      this.#received.set(message.endpoint, [...(this.#received.get(message.endpoint) ?? []), message])
    })
    on('answered', (message) => {
      this.#answered(message)
    })
    on('rejected', ({ status_code, reason }) => {
      this.#line(style('red', '→'), styled`refused ${style('red', String(status_code))} ${reason}`)
    })
    on('settled', ({ state, handler, duration_ms }) => {
      if (state === 'done') this.#line(style('green', '✓'), styled`${handler} ${milliseconds(duration_ms)}`)
      if (state === 'parked') this.#line(style('yellow', '!'), styled`${handler} is gone: its delivery is parked`)
    })
  }

  /** Prints what has happened meanwhile, and from now on everything at once. */
  begin(): void {
    for (const [sign, text] of this.#held ?? []) printLine(sign, text)
    this.#held = undefined
  }

  #line(sign: Styled, text: Styled): void {
    if (this.#held === undefined) printLine(sign, text)
    else this.#held.push([sign, text])
  }

  /** Something that went wrong in this program. */
  say(text: string): void {
    this.#line(style('red', '✗'), styled`${text}`)
  }

  /** For the option `onError`. */
  failed(error: unknown, { handler, retryAt }: Failure): void {
    const when =
      retryAt === undefined ? style('red', 'gave up') : `retry in ${spanText(retryAt.getTime() - Date.now())}`
    this.#line(style('red', '✗'), styled`${handler} ${when}: ${reasonOf(error)}`)
    const place = placeOf(error)
    if (place !== undefined) this.#line(placeSign, styled`${style('dim', `at ${place}`)}`)
  }

  /** The log of the server: prints what handlers log, and warnings. */
  readonly log = {
    write: (line: string): void => {
      const { level, msg, handler, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>> & {
        readonly level: number
        readonly msg?: string
      }
      const text = msg ?? ''
      if (ofOtherLines.test(text) || ofAttempts.has(String(rest['alarm']))) return
      const details = Object.entries(rest).filter(([name]) => !common.has(name))
      const shown = join(
        [text, ...details.map(([name, value]) => style('dim', `${name}=${cut(JSON.stringify(value), longestValue)}`))],
        ' '
      )
      if (typeof handler === 'string') this.#line(style('dim', '·'), styled`${handler}: ${shown}`)
      else if (level >= 40) this.#line(style('yellow', '!'), shown)
    }
  }

  #answered({ endpoint, result, status_code, duration_ms }: AnsweredMessage): void {
    const events = this.#received.get(endpoint) ?? []
    this.#received.delete(endpoint)
    if (result === 'refused') return
    for (const { event_type, event_id, result: of } of events) {
      const status = style('green', String(status_code))
      const note = of === 'accepted' ? '' : ' duplicate'
      this.#line(
        style('cyan', '→'),
        styled`${event_type} ${shortId(event_id)} ${status}${note} ${milliseconds(duration_ms)}`
      )
    }
    if (result === 'handshake') this.#line(style('cyan', '→'), styled`handshake ${String(status_code)}`)
  }
}

/** Before the place in the code: as wide as the indentation of a line that continues. */
const placeSign = style('dim', '   ')
/** In characters, so that a value is not broken. */
const longestValue = 48
/** Facts that other lines have. */
const ofOtherLines =
  /^(?:the handler failed; it will|gave up: the delivery|request refused|event accepted|duplicate of a known event|handled$|no handlers: events)/
/** Alarms about attempts, whose errors other lines have. */
const ofAttempts: ReadonlySet<string> = new Set<AlarmName>(['dead', 'failing'])
const common = new Set(
  'time pid hostname event_id event_type attempt endpoint realm source reqId duration_ms delivery'.split(' ')
)

/** The last characters of an id, enough to see which event it is. */
export function shortId(id: string): string {
  return id.length <= 8 ? id : id.slice(-4)
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms)} ms`
}

/** Leaves out the names of errors that the line says in other words. */
function withoutName(text: string): string {
  return text.replace(/^(?:Error|PermanentError|RetryLater): /, '')
}

/** An error for a person: ours say all in their messages. Files are named as seen from the current folder. */
export function reasonOf(error: unknown): string {
  const text = error instanceof RiverhookError ? error.message : withoutName(errorText(error))
  return text
    .replaceAll(/(file:\/\/\/[^\s?):]+)(?:\?generation=\d+)?/g, (all, url: string) => localPath(url) ?? all)
    .replaceAll(process.cwd() + sep, '')
}

/** The path of a file below the current folder; undefined for any other. */
function localPath(url: string): string | undefined {
  try {
    const path = relative(process.cwd(), fileURLToPath(url))
    return path.startsWith('..') ? undefined : path
  } catch {
    // The text of an error may hold anything.
    return undefined
  }
}

/** Where the user's code threw: the first line of the stack that is in a file of the project. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  for (const [, url = '', place = ''] of (error.stack ?? '').matchAll(/(file:\/\/[^\s?)]+?)(?:\?[^:\s)]*)?(:\d+:\d+)/g))
    if (isOfProject(url)) return relative(process.cwd(), fileURLToPath(url)) + place
  return undefined
}

/** Prints a line with a sign before it, broken between words on a terminal. */
export function printLine(sign: Styled, text: Styled): void {
  const { columns } = process.stdout
  const lines = process.stdout.isTTY && columns > 20 ? wrap(text.text, columns - 4).split('\n') : [text.text]
  for (const [index, line] of lines.entries()) print(new Styled(`${index === 0 ? `${sign.text} ` : '    '}${line}`))
}

/** Prints facts, each on its own line; one that is too long for the terminal below its name, indented if it fits. */
export function printFacts(facts: readonly (readonly [name: string, value: string])[]): void {
  const widest = Math.max(...facts.map(([name]) => name.length))
  const columns = process.stdout.isTTY ? process.stdout.columns : Infinity
  for (const [name, value] of facts) {
    const line = `  ${name.padEnd(widest)}  ${value}`
    const indent = value.length + 2 <= columns ? '  ' : ''
    print(
      line.length <= columns
        ? styled`  ${style('dim', name.padEnd(widest))}  ${value}`
        : styled`  ${style('dim', name)}\n${indent}${value}`
    )
  }
}
